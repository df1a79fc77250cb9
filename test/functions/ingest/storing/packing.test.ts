import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Message } from '../../../../functions/contract/message.ts';
import { maxSegmentBytes, Packer } from '../../../../functions/ingest/storing/packing.ts';
import { isPackable, unpackedBytes } from '../../../../functions/segments/packable.ts';
import { decodeSegment, maxUnpackedBytes } from '../../../../functions/segments/segment-codec.ts';
import { bucketOf, maxLevel } from '../../../../functions/segments/segment-key.ts';
import { segmentItem } from '../../../../functions/segments/stored-segments.ts';
import { itemBytes } from '../../../../functions/table/chunks.ts';
import { anyMessage, message } from '../../../support/messages.ts';
import { fc } from '../../../support/property.ts';

const retentionDays = 30;

/** Some bytes that deflate to little, or not at all. */
const payload = fc
  .tuple(fc.integer({ min: 0, max: 30_000 }), fc.boolean())
  .map(([bytes, isRandom]) => (isRandom ? randomBytes(bytes) : Buffer.alloc(bytes, 'x')));

const batch = fc
  .array(fc.tuple(anyMessage, fc.constantFrom('a', 'b/c', undefined), fc.option(payload)), {
    minLength: 1,
    maxLength: 80,
  })
  .map((drawn) =>
    drawn
      .map(
        ([one, topic, bytes], index): Message => ({
          ...one,
          id: `${index} ${one.id}`,
          topic: topic ?? one.topic,
          payload: bytes ?? one.payload,
        }),
      )
      .filter(isPackable),
  )
  .filter((messages) => messages.length > 0);

/** A request as devices make it: `count` messages over `topics` topics. */
function request(count: number, topics: number, payloadOf: (index: number) => Buffer): Message[] {
  return Array.from({ length: count }, (_, index) =>
    message({ topic: `site/device-${index % topics}/state`, payload: payloadOf(index) }),
  );
}

const json = (index: number) =>
  Buffer.from(
    `{"device":"sensor-${index}","ts":${1_800_000_000_000 + index * 977},"celsius":${(index * 37) % 40}.${index % 10},"humidity":${(index * 7919) % 100},"battery":${(index * 31) % 100},"rssi":-${40 + ((index * 13) % 50)},"status":"ok","fw":"2.4.1"}`,
  );

test('every message is in one segment, in the bucket of its topic, and each segment is one read', () => {
  const packer = new Packer();
  fc.assert(
    fc.property(batch, (messages) => {
      const parts = packer.pack(messages, retentionDays);
      expect(parts.flatMap((part) => part.messages.map(({ id }) => id)).toSorted()).toEqual(
        messages.map(({ id }) => id).toSorted(),
      );
      for (const { level, messages: own, bytes } of parts) {
        expect(new Set(own.map(({ topic }) => bucketOf(topic, level))).size).toBe(1);
        expect(own.length === 1 || bytes.byteLength <= maxSegmentBytes).toBe(true);
        const unpacked = own.reduce((sum, one) => sum + unpackedBytes(one), 0);
        expect(unpacked).toBeLessThanOrEqual(maxUnpackedBytes);
        const decoded = decodeSegment(bytes);
        expect(decoded.ok && decoded.value.messages.map(({ id }) => id)).toEqual(
          own.map(({ id }) => id),
        );
      }
    }),
    { numRuns: 60 },
  );
});

test('what inflates to much is in several segments, however small they are', () => {
  const zeros = request(40, 1, () => Buffer.alloc(30_000));
  expect(new Packer().pack(zeros, retentionDays).length).toBeGreaterThanOrEqual(10);
});

/** What keys and the other attributes of a segment take at most. */
const itemOverhead = itemBytes(
  segmentItem(
    { level: maxLevel, stampMs: Date.UTC(2100, 0), writer: '123456', sequence: 0 },
    'topic',
    Buffer.alloc(0),
    Date.UTC(2100, 0) / 1000,
  ),
);

test('a segment of the greatest size is one read unit', () => {
  expect(maxSegmentBytes + itemOverhead).toBeLessThanOrEqual(4096);
});

test('large messages are spread over keys, each of which takes a bounded number of writes', () => {
  const packer = new Packer();
  const large = () => request(100, 1000, () => randomBytes(2000));
  // It learns how much is left of a byte.
  for (let requests = 0; requests < 10; requests++) packer.pack(large(), retentionDays);
  const parts = packer.pack(large(), retentionDays);
  const keys = new Set(
    parts.map(({ level, messages }) => bucketOf(messages[0]?.topic ?? '', level)),
  );
  expect(keys.size).toBeGreaterThan(10);
});

describe('the write units of a message', () => {
  /** After some requests: the packer learns. */
  function unitsPerMessage(count: number, topics: number, payloadOf: (index: number) => Buffer) {
    const packer = new Packer();
    let units = 0;
    for (let requests = 0; requests < 10; requests++) {
      const parts = packer.pack(request(count, topics, payloadOf), retentionDays);
      units = parts.reduce(
        (sum, { bytes }) => sum + Math.ceil((bytes.byteLength + itemOverhead) / 1024),
        0,
      );
    }
    return units / count;
  }

  test.each([
    ['25 of 200 B JSON', 25, 1000, json, 0.2],
    ['500 of 200 B JSON', 500, 60_000, json, 0.1],
    ['500 of 200 B JSON in one topic', 500, 1, json, 0.1],
    ['100 of 200 random bytes', 100, 1000, () => randomBytes(200), 0.25],
    ['500 of 200 random bytes', 500, 60_000, () => randomBytes(200), 0.24],
  ])('%s', (_, count, topics, payloadOf, maxUnits) => {
    expect(unitsPerMessage(count, topics, payloadOf)).toBeLessThan(maxUnits);
  });
});
