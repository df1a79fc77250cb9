import { expect, test } from 'vitest';
import {
  checkedShards,
  messageItem,
  messageOf,
  messagePartition,
  messageSortKey,
  shardOf,
  topicKey,
} from '../../../functions/table/item.ts';
import { anyMessage, legalTopic, message } from '../../support/messages.ts';
import { fc } from '../../support/property.ts';

test('a message comes back from its item as it went in', () => {
  fc.assert(
    fc.property(anyMessage, fc.integer({ min: 0, max: 31 }), (given, shard) => {
      const back = messageOf(messageItem(given, { expiresAtSeconds: 1, shard }));
      expect({ ...back, payload: Buffer.from(back.payload) }).toEqual(given);
    }),
  );
});

test('sort keys sort by time', () => {
  fc.assert(
    fc.property(anyMessage, anyMessage, (a, b) => {
      fc.pre(a.time < b.time);
      expect(messageSortKey(a) < messageSortKey(b)).toBe(true);
    }),
  );
});

test('a long topic gets a key that no topic name can have', () => {
  const long = 'ü'.repeat(600);
  const placement = { expiresAtSeconds: 1, shard: 3 };
  expect(topicKey(long)).toMatch(/^#[\w-]{43}$/);
  expect(messageOf(messageItem(message({ topic: long }), placement)).topic).toBe(long);
  expect(topicKey('x'.repeat(1000))).toBe('x'.repeat(1000));
});

test('no two topics or shards share a partition', () => {
  const shard = fc.integer({ min: 0, max: 31 });
  const topic = fc.oneof(
    legalTopic,
    legalTopic.map((text) => text.padEnd(1001, 'x')),
  );
  fc.assert(
    fc.property(topic, topic, shard, shard, (a, b, one, other) => {
      const isSame = a === b && one === other;
      expect(messagePartition(a, one) === messagePartition(b, other)).toBe(isSame);
      expect(Buffer.byteLength(messagePartition(a, one))).toBeLessThanOrEqual(2048);
    }),
  );
});

test('the shard of an id is always the same, and ids spread over all shards', () => {
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 1, max: 32 }), (id, shards) => {
      const shard = shardOf(id, shards);
      expect(shardOf(id, shards)).toBe(shard);
      expect(shard).toBeGreaterThanOrEqual(0);
      expect(shard).toBeLessThan(shards);
    }),
  );
  const counts = new Array<number>(32).fill(0);
  for (let index = 0; index < 3200; index++) {
    const shard = shardOf(`id-${index}`, 32);
    counts[shard] = (counts[shard] ?? 0) + 1;
  }
  expect(Math.min(...counts)).toBeGreaterThan(50);
});

test.each([0, 33, 1.5, Number.NaN])('%d shards are refused', (shards) => {
  expect(() => checkedShards(shards)).toThrow(RangeError);
});
