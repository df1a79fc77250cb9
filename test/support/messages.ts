// Messages and their parts, for tests.

import type { Message } from '../../functions/contract/message.ts';
import { topicFault } from '../../functions/contract/topic.ts';
import { fc } from './property.ts';

let count = 0;

/** A message with sensible parts; give the ones that matter. */
export function message(parts: Partial<Message> & { text?: string } = {}): Message {
  const { text = '{"celsius":21.5}', ...rest } = parts;
  count++;
  return {
    id: `id-${count}`,
    source: 'mqtt://broker/causeway-store-0',
    topic: 'rooms/kitchen',
    time: new Date(1_800_000_000_000 + count).toISOString().replace('Z', '000Z'),
    payload: Buffer.from(text),
    qos: 1,
    retain: false,
    ...rest,
  };
}

/** Well-formed text, as MQTT strings have to be. */
export const mqttText = fc
  .string({ unit: 'binary', maxLength: 40 })
  .filter((text) => !text.includes('\u0000'));

export const legalTopic = fc
  .array(fc.string({ unit: 'grapheme', maxLength: 8 }), { minLength: 1, maxLength: 6 })
  .map((levels) => levels.map((level) => level.replace(/[+#/]/g, '')).join('/'))
  .filter((topic) => topicFault(topic) === undefined);

const properties = fc.record(
  {
    contentType: mqttText,
    responseTopic: legalTopic,
    correlationData: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    userProperties: fc.array(fc.tuple(mqttText, mqttText), { minLength: 1, maxLength: 4 }),
    messageExpirySeconds: fc.integer({ min: 0, max: 0xffff_ffff }),
    payloadFormat: fc.constantFrom(0 as const, 1 as const),
  },
  { requiredKeys: ['contentType'] },
);

const payload = fc.oneof(
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  fc.string({ unit: 'binary', maxLength: 100 }).map((text) => Buffer.from(text)),
  fc.json().map((text) => Buffer.from(text)),
);

/** Any message that the bridge could receive. */
export const anyMessage: fc.Arbitrary<Message> = fc.record(
  {
    id: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }),
    source: fc.constant('mqtt://broker/causeway-store-0'),
    topic: legalTopic,
    time: fc
      .integer({ min: 0, max: 4_000_000_000_000 })
      .map((ms) => new Date(ms).toISOString().replace('Z', '123Z')),
    payload,
    qos: fc.constantFrom(0 as const, 1 as const),
    retain: fc.boolean(),
    packetId: fc.integer({ min: 1, max: 65_535 }),
    producerId: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }),
    receivedAfter: fc.constant('2026-01-01T00:00:00.000000Z'),
    properties,
  },
  { requiredKeys: ['id', 'source', 'topic', 'time', 'payload', 'qos', 'retain'] },
);
