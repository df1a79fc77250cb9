import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodeEnvelope,
  decodeKeptEnvelope,
  encodeBatch,
  encodeEnvelope,
  envelopeSchema,
  estimateEnvelopeBytes,
} from '../../../functions/contract/envelope.ts';
import { parseWith } from '../../../functions/contract/parse.ts';
import { anyMessage, message } from '../../support/messages.ts';

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

test('a batch is a JSON array of its envelopes', () => {
  expect(JSON.parse(encodeBatch([message(), message()]).toString())).toHaveLength(2);
});

test.each([0, 1, 2, 50])('a batch of %d is exactly the JSON of its envelopes', (count) => {
  const messages = Array.from({ length: count }, () =>
    message({ text: 'größer als 10 ✓', topic: 'räume/küche' }),
  );
  expect(encodeBatch(messages).toString()).toBe(`[${messages.map(encodeEnvelope).join(',')}]`);
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
    ['id', 'x'.repeat(257)],
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
