import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodeEnvelope,
  encodeBatch,
  encodeEnvelope,
  envelopeSchema,
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
  expect(
    JSON.parse(encodeBatch([encodeEnvelope(message()), encodeEnvelope(message())])),
  ).toHaveLength(2);
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
    ['data_base64', 'not base64!'],
    ['userproperties', '{}'],
    ['type', 'other'],
  ])('%s = %j', (field, value) => {
    const parsed = parseWith(envelopeSchema, { ...good, [field]: value });
    expect(parsed).toMatchObject({ ok: false, faults: [{ field }] });
  });
});
