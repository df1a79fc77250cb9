import { expect, test } from 'vitest';
import { isJsonText, portable } from '../../../functions/contract/json-syntax.ts';
import { fc } from '../../support/property.ts';

function isParsed(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** What JSON.parse says of it. */
function expectSame(text: string): void {
  expect([text, isJsonText(Buffer.from(text))]).toEqual([text, isParsed(text)]);
}

test('every JSON text is one', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(undefined, 1, '\t'), (value, indent) => {
      expect(isJsonText(Buffer.from(JSON.stringify(value, null, indent)))).toBe(true);
    }),
  );
});

test('a text that is changed at one place is one as far as JSON.parse says so', () => {
  fc.assert(
    fc.property(
      fc.jsonValue(),
      fc.nat(),
      fc.constantFrom('', ...'{}[]",:\\ue-+.0195tfn \n\u0001ä'),
      (value, at, character) => {
        const text = JSON.stringify(value);
        const place = at % (text.length + 1);
        expectSame(text.slice(0, place) + character + text.slice(place + 1));
        expectSame(text.slice(0, place) + character + text.slice(place));
      },
    ),
    { numRuns: 1000 },
  );
});

test('so is any text of such characters', () => {
  const characters = fc.constantFrom(
    ...'{}[]",:\\ue-+.0195 ',
    'true',
    'false',
    'null',
    '"a":',
    '1',
  );
  fc.assert(
    fc.property(
      fc.array(characters, { maxLength: 12 }),
      (parts) => void expectSame(parts.join('')),
    ),
    { numRuns: 2000 },
  );
});

test('megabytes of brackets are told from JSON without building anything', () => {
  const count = 2_000_000;
  const nested = Buffer.concat([Buffer.alloc(count, '['), Buffer.alloc(count, ']')]);
  expect(isJsonText(nested)).toBe(true);
  expect(isJsonText(nested.subarray(1))).toBe(false);
  expect(isJsonText(Buffer.from(`[${'[],'.repeat(count)}1]`))).toBe(true);
});

test('what is portable is JSON, and what parsers of other languages may refuse is not portable', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(isJsonText(Buffer.from(JSON.stringify(value)), portable)).toBe(true);
    }),
  );
  const refused = ['"\\ud800"', '"\\ud800x"', '"\\ud800\\ud800"', '"\\udc00"', '{"\\udfff":1}'];
  for (const text of [
    ...refused,
    `${'{"a":'.repeat(61)}1${'}'.repeat(61)}`,
    `-${'1'.repeat(1000)}`,
  ]) {
    expectSame(text);
    expect([text, isJsonText(Buffer.from(text), portable)]).toEqual([text, false]);
  }
});
