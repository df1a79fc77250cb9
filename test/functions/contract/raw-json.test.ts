import { describe, expect, test } from 'vitest';
import { rawElements, rawMembers } from '../../../functions/contract/raw-json.ts';
import { fc } from '../../support/property.ts';

const space = fc.string({ unit: fc.constantFrom(' ', '\n', '\t', '\r'), maxLength: 3 });

/** JSON texts with white space wherever it may stand. */
const { json } = fc.letrec<{ json: string; array: string; object: string }>((tie) => ({
  json: fc.oneof(
    { depthSize: 'small' },
    fc.json(),
    fc.constantFrom(
      '1e400',
      '-0',
      '9007199254740993',
      '"\\"]}\\\\"',
      '{"a":1,"a":2}',
      '"\ud83d\ude00"',
    ),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
    tie('array'),
    tie('object'),
  ),
  array: fc
    .array(fc.tuple(space, tie('json'), space), { maxLength: 4 })
    .map((parts) => `[${parts.map((part) => part.join('')).join(',')}]`),
  object: fc
    .array(fc.tuple(space, fc.string(), space, tie('json'), space), { maxLength: 4 })
    .map((parts) =>
      parts.map(([a, name, b, value, c]) => `${a}${JSON.stringify(name)}${b}:${b}${value}${c}`),
    )
    .map((parts) => `{${parts.join(',')}}`),
}));

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

describe('rawElements', () => {
  test('gives every element as it was written', () => {
    fc.assert(
      fc.property(fc.array(json, { maxLength: 6 }), space, space, (texts, before, after) => {
        const document = `${before}[${before}${texts.join(`${after},${before}`)}${after}]${after}`;
        const elements = rawElements(document);
        expect(elements.map(({ text }) => text)).toEqual(texts.map((text) => text.trim()));
        expect(elements.map(({ text }) => JSON.parse(text))).toEqual(JSON.parse(document));
      }),
    );
  });

  test('counts the levels', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(rawElements(JSON.stringify([value]))).toMatchObject([{ depth: depthOf(value) }]);
      }),
    );
  });
});

describe('rawMembers', () => {
  test('gives every member as it was written, doubled ones too', () => {
    const members = fc.array(fc.tuple(fc.string(), json), { maxLength: 6 });
    fc.assert(
      fc.property(members, space, (pairs, between) => {
        const written = pairs.map(([name, text]) =>
          [between, JSON.stringify(name), between, ':', between, text, between].join(''),
        );
        const document = `${between}{${between}${written.join(',')}}${between}`;
        const found = rawMembers(document);
        expect(found.map(({ name, text }) => [name, text])).toEqual(
          pairs.map(([name, text]) => [name, text.trim()]),
        );
        const last = Object.fromEntries(found.map(({ name, text }) => [name, JSON.parse(text)]));
        expect(last).toEqual(Object.fromEntries(Object.entries(JSON.parse(document))));
      }),
    );
  });

  test('resolves escapes in names', () => {
    expect(rawMembers('{"t\\u006fpic":1,"a\\"":2}')).toEqual([
      { name: 'topic', text: '1', depth: 0 },
      { name: 'a"', text: '2', depth: 0 },
    ]);
  });

  test('a million levels are no trouble', () => {
    const deep = `${'['.repeat(1e6)}${']'.repeat(1e6)}`;
    expect(rawMembers(`{"payload":${deep}}`)[0]).toEqual({
      name: 'payload',
      text: deep,
      depth: 1e6,
    });
  });
});
