import { describe, expect, test } from 'vitest';
import {
  encodeBatch,
  encodeEnvelope,
  encodeEvent,
  estimateEnvelopeBytes,
  planEnvelope,
} from '../../../functions/contract/envelope.ts';
import {
  decodeEnvelope,
  decodeKeptEnvelope,
  envelopeSchema,
} from '../../../functions/contract/envelope-decoding.ts';
import type { Message } from '../../../functions/contract/message.ts';
import { parseWith } from '../../../functions/contract/parse.ts';
import { anyMessage, message, mqttText } from '../../support/messages.ts';
import { fc } from '../../support/property.ts';

function roundTrip(text: string) {
  const parsed = parseWith(envelopeSchema, JSON.parse(text));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.faults));
  return decodeEnvelope(parsed.value);
}

test('what is encoded is decoded to the same message', () => {
  fc.assert(
    fc.property(anyMessage, (given) => {
      const back = roundTrip(encodeEnvelope(given));
      expect({ ...back, payload: Buffer.from(back.payload) }).toEqual(given);
    }),
  );
});

test('what was kept is read back whatever rule it breaks', () => {
  const topic = fc.string({ unit: 'binary', maxLength: 20 });
  fc.assert(
    fc.property(anyMessage, topic, (given, broken) => {
      const kept = { ...given, topic: broken, id: 'x'.repeat(1000) };
      const back = decodeKeptEnvelope(encodeEnvelope(kept));
      expect({ ...back, payload: Buffer.from(back.payload) }).toEqual(kept);
    }),
  );
});

test('is a CloudEvents 1.0 event', () => {
  const event = JSON.parse(encodeEnvelope(message({ text: 'hello', topic: 'a/b' })));
  expect(event).toMatchObject({
    specversion: '1.0',
    subject: 'a/b',
    datacontenttype: 'text/plain',
    data: 'hello',
  });
  for (const name of Object.keys(event)) expect(name).toMatch(/^[a-z0-9]{1,20}$|^data_base64$/);
  const binary = JSON.parse(encodeEnvelope(message({ payload: Buffer.from([0xff, 0x00]) })));
  expect(binary).toMatchObject({ data_base64: '/wA=' });
  expect(binary.data).toBeUndefined();
});

/** The text of a batch that is not too large. */
function batchText(messages: readonly Message[], maxBytes?: number): string {
  const batch = encodeBatch(messages, maxBytes);
  if (batch.kind === 'too large') throw new Error(`too large: ${batch.bytes}`);
  return batch.body.toString();
}

test('a batch is a JSON array of its envelopes', () => {
  expect(JSON.parse(batchText([message(), message()]))).toHaveLength(2);
});

test.each([0, 1, 2, 50])('a batch of %d is exactly the JSON of its envelopes', (count) => {
  const messages = Array.from({ length: count }, () =>
    message({ text: 'größer als 10 ✓', topic: 'räume/küche' }),
  );
  expect(batchText(messages)).toBe(`[${messages.map(encodeEnvelope).join(',')}]`);
});

/** A payload of some kilobytes to some hundred: text, control characters, quotes, text cut within a character, bytes. */
const largePayload = fc
  .tuple(
    fc.constantFrom('x', '"', '\0', '\x1b', 'ä', '日', '😀', '\\', '{"a":"b"}'),
    fc.integer({ min: 50_000, max: 120_000 }),
    fc.uint8Array({ maxLength: 3 }),
  )
  .map(([text, bytes, tail]) =>
    Buffer.concat([Buffer.from(text.repeat(bytes / Buffer.byteLength(text) + 1)), tail]),
  );

const largeProperties = fc
  .array(fc.tuple(mqttText, fc.constantFrom('', '"\\', '\x01'.repeat(5000), 'ä'.repeat(9000))), {
    maxLength: 6,
  })
  .map((userProperties) => ({ userProperties }));

test('a large message comes back from its envelope, of just as many bytes as was said before', () => {
  fc.assert(
    fc.property(
      anyMessage,
      largePayload,
      fc.option(largeProperties),
      (given, payload, properties) => {
        const large = { ...given, payload, ...(properties !== null && { properties }) };
        const planned = planEnvelope(large);
        const text = Buffer.concat([...planned.pieces()]);
        expect(text.byteLength).toBe(planned.bytes);
        expect(text.toString() === encodeEnvelope(large)).toBe(true);
        const back = roundTrip(text.toString());
        expect(Buffer.from(back.payload).equals(payload)).toBe(true);
        expect({ ...back, payload: 0 }).toEqual({ ...large, payload: 0 });
        // Whichever is shorter; what is no UTF-8 has no choice.
        expect(planned.bytes).toBeLessThan((payload.byteLength * 4) / 3 + 60 + bytesWithout(large));
      },
    ),
    { numRuns: 30 },
  );
});

function bytesWithout(given: Message): number {
  return planEnvelope({ ...given, payload: Buffer.alloc(0) }).bytes;
}

test('the plan of an envelope of any size says its bytes, and gives the text', () => {
  fc.assert(
    fc.property(anyMessage, (given) => {
      const { bytes, pieces } = planEnvelope(given);
      const text = Buffer.concat([...pieces()]);
      expect([text.byteLength, text.toString()]).toEqual([bytes, encodeEnvelope(given)]);
    }),
  );
});

test('700,000 NULs travel as base64, 700 as text', () => {
  const of = (count: number) =>
    JSON.parse(encodeEnvelope(message({ payload: Buffer.alloc(count) })));
  expect(Buffer.from(of(700_000).data_base64, 'base64').equals(Buffer.alloc(700_000))).toBe(true);
  expect(of(700).data).toBe('\0'.repeat(700));
});

test('a batch above its limit is not built, and one at the limit is', () => {
  fc.assert(
    fc.property(
      fc.array(anyMessage, { minLength: 1, maxLength: 5 }),
      largePayload,
      (some, last) => {
        const messages = [...some, message({ payload: last })];
        const { length } = Buffer.from(batchText(messages));
        expect(batchText(messages, length)).toHaveLength(batchText(messages).length);
        expect(encodeBatch(messages, length - 1)).toMatchObject({
          kind: 'too large',
          bytes: length,
        });
        const first = encodeBatch(messages, 10);
        expect(first).toMatchObject({ kind: 'too large' });
        expect(encodeBatch(messages.slice(0, 1), 10)).toEqual(first);
      },
    ),
    { numRuns: 15 },
  );
});

test('bytes whose JSON no string can hold have an envelope all the same, and are told too large at once', () => {
  // As text 536,871,000 characters, and V8 holds 536,870,888.
  const payload = Buffer.alloc(89_478_500);
  const nuls = message({ payload });
  const planned = planEnvelope(nuls);
  expect(planned.bytes).toBe(bytesWithout(nuls) + Math.ceil(payload.length / 3) * 4 - 24);
  expect(encodeBatch([nuls], 4 * 1024 * 1024)).toEqual({
    kind: 'too large',
    bytes: planned.bytes + 2,
  });
  let bytes = 0;
  for (const piece of planned.pieces()) bytes += piece.length;
  expect(bytes).toBe(planned.bytes);
});

test('the estimate of an envelope’s bytes is a little above what JSON and binary payloads take', () => {
  const json = JSON.stringify({ device: 'sensor-7', readings: [1.5, 2.25], unit: 'celsius' });
  for (const payload of [
    Buffer.from(json),
    Buffer.alloc(5000, 0xff),
    Buffer.from('plain text'.repeat(99)),
  ]) {
    const given = message({ payload });
    const bytes = Buffer.byteLength(encodeEnvelope(given));
    expect(estimateEnvelopeBytes(given)).toBeGreaterThanOrEqual(bytes);
    expect(estimateEnvelopeBytes(given)).toBeLessThan(bytes * 1.4 + 200);
  }
});

describe('the schema refuses', () => {
  const good = JSON.parse(encodeEnvelope(message()));
  test.each([
    ['id', ''],
    ['id', 'x'.repeat(280)],
    ['producerid', 'x'.repeat(257)],
    ['producerid', ''],
    ['subject', 'a/+'],
    ['time', '2026-01-01T00:00:00Z'],
    ['qos', '1'],
    ['packetid', 0],
    ['id', '\ud800'],
    ['time', '2026-13-01T00:00:00.000000Z'],
    ['data', '\udc00'],
    ['contenttype', '\ud800'],
    ['userproperties', '[["a","\\ud800"]]'],
    ['userproperties', '{}'],
    ['type', 'other'],
  ])('%s = %j', (field, value) => {
    const parsed = parseWith(envelopeSchema, { ...good, [field]: value });
    expect(parsed).toMatchObject({ ok: false, faults: [{ field }] });
  });

  test('data that is no base64, and data in both forms', () => {
    const { data: _, ...rest } = good;
    expect(parseWith(envelopeSchema, { ...rest, data_base64: 'not base64!' })).toMatchObject({
      faults: [{ field: 'data_base64' }],
    });
    expect(parseWith(envelopeSchema, { ...good, data_base64: 'aGk=' })).toMatchObject({
      faults: [{ field: 'data' }],
    });
  });
});

describe('version 2', () => {
  const json = { datacontenttype: 'application/json' };
  const plain = { datacontenttype: 'text/plain' };
  const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;

  test.each<[text: string, contentType: string | undefined, expected: object]>([
    ['{"celsius":21.5}', undefined, { ...json, data: { celsius: 21.5 } }],
    ['{"celsius":21.5}', 'application/json', { ...json, data: { celsius: 21.5 } }],
    ['{"a":1}', 'application/senml+json; charset=utf-8', { ...json, data: { a: 1 } }],
    [' [1, 2]\n', undefined, { ...json, data: [1, 2] }],
    ['21.5', undefined, { ...plain, data: '21.5' }],
    ['21.5', 'application/json', { ...json, data: 21.5 }],
    ['"on"', undefined, { ...plain, data: '"on"' }],
    ['"on"', 'application/json', { ...json, data: 'on' }],
    ['null', undefined, { ...plain, data: 'null' }],
    ['true', 'text/json', { ...json, data: true }],
    ['{"a":1}', 'text/plain', { ...plain, data: '{"a":1}' }],
    ['{"a":1}', 'json', { ...json, data: { a: 1 } }],
    ['{"a":1', undefined, { ...plain, data: '{"a":1' }],
    ['{"a":1}}', 'application/json', { ...plain, data: '{"a":1}}' }],
    ['{"a":1}\n{"a":2}', undefined, { ...plain, data: '{"a":1}\n{"a":2}' }],
    ['', 'application/json', { ...plain, data: '' }],
    ['{"a":"\\ud83d\\ude00"}', undefined, { ...json, data: { a: '\u{1f600}' } }],
    ['{"a":"\\ud83d"}', undefined, { ...plain, data: '{"a":"\\ud83d"}' }],
    ['{"a":"\\ude00\\ud83d"}', undefined, { ...plain }],
    [nested(60), undefined, json],
    [nested(61), 'application/json', plain],
    [`[${'1'.repeat(1000)}]`, undefined, json],
    [`[${'1'.repeat(1001)}]`, undefined, plain],
    [`{"${'x'.repeat(10_000)}":1}`, undefined, json],
    [`{"${'x'.repeat(10_001)}":1}`, undefined, plain],
  ])('%.40j declared as %s', (text, contentType, expected) => {
    const one = message({
      text,
      ...(contentType !== undefined && { properties: { contentType } }),
    });
    const event = JSON.parse(encodeEvent(one, 2));
    expect(event).toMatchObject({ type: 'causeway.mqtt.message.v2', ...expected });
    expect(event.data_base64).toBeUndefined();
  });

  test.each([
    ['bytes', Buffer.from([0xff, 0x00]), undefined],
    ['bytes that are called JSON', Buffer.from([0x7b, 0xc3, 0x28, 0x7d]), 'application/json'],
    ['large bytes', Buffer.alloc(60_000, 0x80), undefined],
  ])('%s are base64, and no JSON', (_, payload, contentType) => {
    const one = message({
      payload,
      ...(contentType !== undefined && { properties: { contentType } }),
    });
    expect(JSON.parse(encodeEvent(one, 2))).toMatchObject({
      datacontenttype: 'application/octet-stream',
      data_base64: payload.toString('base64'),
    });
  });

  test('JSON stands there as the device wrote it, small or large', () => {
    for (const text of [' {"a":1e400,"a":9007199254740993}\n', `{"a": "${'é'.repeat(60_000)}"}`])
      expect(encodeEvent(message({ text }), 2)).toContain(
        `,"datacontenttype":"application/json","data":${text}}`,
      );
  });

  test('whatever a batch carries, it stays JSON, and each payload can be had back', () => {
    const json = fc
      .tuple(fc.jsonValue(), fc.constantFrom(undefined, 1))
      .map(([value, indent]) => Buffer.from(JSON.stringify(value, null, indent)));
    const contentType = fc.constantFrom(undefined, 'application/json', 'text/plain', 'x');
    const one = fc
      .tuple(anyMessage, fc.option(json), fc.option(contentType))
      .map(([given, payload, type]) => ({
        ...given,
        ...(payload !== null && { payload }),
        ...(type !== null && { properties: { ...(type !== undefined && { contentType: type }) } }),
      }));
    fc.assert(
      fc.property(fc.array(one, { minLength: 1, maxLength: 5 }), (messages) => {
        const batch = encodeBatch(messages, undefined, 2);
        if (batch.kind === 'too large') throw new Error('too large');
        const text = batch.body.toString();
        expect(text).toBe(`[${messages.map((given) => encodeEvent(given, 2)).join(',')}]`);
        for (const [index, event] of JSON.parse(text).entries()) {
          const payload = Buffer.from(messages[index]?.payload ?? '');
          const { datacontenttype, data, data_base64 } = event;
          if (datacontenttype === 'application/json')
            expect(data).toEqual(JSON.parse(payload.toString()));
          else if (data_base64 === undefined) expect(Buffer.from(data)).toEqual(payload);
          else expect(Buffer.from(data_base64, 'base64')).toEqual(payload);
        }
      }),
    );
  });

  test('the plan of an event says its bytes, and gives the text', () => {
    fc.assert(
      fc.property(anyMessage, fc.boolean(), (given, isLong) => {
        const payload = isLong ? Buffer.from(JSON.stringify(['"'.repeat(60_000)])) : given.payload;
        const { bytes, pieces } = planEnvelope({ ...given, payload }, 2);
        const text = Buffer.concat([...pieces()]);
        expect(text.byteLength).toBe(bytes);
        expect(text.toString() === encodeEvent({ ...given, payload }, 2)).toBe(true);
      }),
    );
  });
});
