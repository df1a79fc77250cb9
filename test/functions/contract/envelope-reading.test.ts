// The quick reader and the schema give the same answer for every envelope: the same message, or the same faults.
import { expect, test } from 'vitest';
import { encodeEvent } from '../../../functions/contract/envelope.ts';
import { decodeEnvelope, envelopeSchema } from '../../../functions/contract/envelope-decoding.ts';
import { messageIn } from '../../../functions/contract/envelope-reading.ts';
import { parseWith } from '../../../functions/contract/parse.ts';
import { anyMessage, message } from '../../support/messages.ts';
import { fc } from '../../support/property.ts';

function bySchema(candidate: unknown) {
  const parsed = parseWith(envelopeSchema, candidate);
  return parsed.ok ? { ok: true, value: decodeEnvelope(parsed.value) } : parsed;
}

const event = fc
  .tuple(anyMessage, fc.constantFrom(1 as const, 2 as const), fc.boolean())
  .map(([given, version, isOrdinary]) => {
    const { properties: _, producerId: __, receivedAfter: ___, ...ordinary } = given;
    const text = encodeEvent(isOrdinary ? ordinary : given, version);
    return JSON.parse(text) as Record<string, unknown>;
  });

const attributes = [...Object.keys(envelopeSchema.shape), 'datacontenttype', 'other', '__proto__'];

/** At the edge of a rule, or beyond it. */
const oddValues = [
  undefined,
  '',
  '\ud800',
  'a/+',
  'a\u0000',
  'é'.repeat(93),
  'x'.repeat(279),
  '€'.repeat(93),
  '€'.repeat(94),
  'x'.repeat(2048),
  'x'.repeat(2049),
  '1.0',
  'causeway.mqtt.message.v2',
  '2026-02-30T00:00:00.000000Z',
  '2026-01-01T24:00:00.000000Z',
  '2026-01-01T24:00:00.000001Z',
  '2026-13-01T00:00:00.000000Z',
  '2026-01-01T00:00:00.000000Z\n',
  'aGk=',
  'aGk',
  'aGl=',
  'aG k=',
  'aGk=\n',
  'a-_=',
  '[["a","b"]]',
  ...[-1, -0, 0, 0.5, 1, 2, 3, 65_535, 65_536, 2 ** 32, true, false, null],
  ...[[], {}, ['a']],
];

const anyValue = fc.oneof(
  fc.jsonValue(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom(...oddValues),
);

/** Also where the name is `__proto__`, as JSON.parse does it. */
function withAttribute(given: Record<string, unknown>, name: string, value: unknown) {
  return Object.defineProperty({ ...given }, name, { value, enumerable: true, configurable: true });
}

test('any envelope, with any of it changed, is read as the schema reads it', () => {
  fc.assert(
    fc.property(
      event,
      fc.array(fc.tuple(fc.constantFrom(...attributes), anyValue), { maxLength: 2 }),
      (given, changes) => {
        const candidate = changes.reduce(
          (before, [name, value]) => withAttribute(before, name, value),
          given,
        );
        expect(messageIn(candidate)).toStrictEqual(bySchema(candidate));
      },
    ),
    { numRuns: 2000 },
  );
});

const ordinary = ([1, 2] as const).flatMap((version) =>
  ['text', Buffer.from([0xff])].map((payload) =>
    JSON.parse(encodeEvent(message({ payload: Buffer.from(payload), packetId: 7 }), version)),
  ),
);

test.each(attributes)('%s: absent, and with each odd value', (name) => {
  for (const { [name]: _, ...others } of ordinary)
    for (const candidate of [
      others,
      ...oddValues.map((value) => withAttribute(others, name, value)),
    ])
      expect(messageIn(candidate)).toStrictEqual(bySchema(candidate));
});

test.each([null, undefined, 1, 'text', [], [1], {}])('%j is no envelope', (candidate) => {
  expect(messageIn(candidate)).toStrictEqual(bySchema(candidate));
  expect(messageIn(candidate).ok).toBe(false);
});

test('a source that was refused stays refused behind one that was taken', () => {
  const read = (source: string) => messageIn({ ...JSON.parse(encodeEvent(message(), 1)), source });
  for (const source of ['', 'mqtt://a/b', '', 'x'.repeat(2049), 'mqtt://a/b', '\ud800'])
    expect(read(source).ok).toBe(source === 'mqtt://a/b');
});
