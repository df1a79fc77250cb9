import { expect, test } from 'vitest';
import {
  chunkItems,
  itemBytes,
  joinChunks,
  maxInlineBytes,
  maxItemBytes,
} from '../../../functions/table/chunks.ts';
import {
  chunkedMessageItem,
  chunkedPayloadOf,
  messageChunksPartition,
  messageItem,
  messageOf,
} from '../../../functions/table/item.ts';
import { anyMessage, message } from '../../support/messages.ts';
import { fc } from '../../support/property.ts';

const chunkBytes = 350 * 1024;

/** Bytes that differ at every position that matters: none repeats at a distance of a chunk. */
function patterned(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let index = 0; index < length; index += 251) bytes.writeUInt8((index / 251) % 256, index);
  return bytes;
}

/** Any size up to a few chunks, the boundaries above all. */
const size = fc.oneof(
  fc.integer({ min: 0, max: 3 * chunkBytes }),
  fc
    .tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: -1, max: 1 }))
    .map(([chunks, offset]) => Math.max(0, chunks * chunkBytes + offset)),
);

test('bytes of any size come back from their chunks, whatever order these are read in', () => {
  fc.assert(
    fc.property(size, fc.array(fc.nat(), { minLength: 4, maxLength: 4 }), (length, shuffle) => {
      const bytes = patterned(length);
      const items = chunkItems('c/x', bytes, 1);
      expect(items).toHaveLength(Math.ceil(length / chunkBytes));
      const shuffled = items
        .map((item, index) => ({ item, rank: shuffle[index] ?? 0 }))
        .sort((a, b) => a.rank - b.rank)
        .map(({ item }) => item);
      expect(Buffer.compare(joinChunks(shuffled), bytes)).toBe(0);
    }),
    { numRuns: 60 },
  );
});

test('chunks of the longest partition key fit into an item, and expire as they are told', () => {
  const items = chunkItems('x'.repeat(2048), patterned(800 * 1024), 1234);
  for (const item of items) expect(itemBytes(item)).toBeLessThanOrEqual(maxItemBytes);
  expect(items.map(({ sk }) => sk?.S)).toEqual(['000000', '000001', '000002']);
  expect(items.map(({ expiresAt }) => expiresAt?.N)).toEqual(['1234', '1234', '1234']);
  expect(chunkItems('x', patterned(1), undefined)[0]).not.toHaveProperty('expiresAt');
});

test('a chunk that is missing is not passed over', () => {
  const items = chunkItems('c/x', patterned(900 * 1024), 1);
  expect(() => joinChunks(items.toSpliced(1, 1))).toThrow('chunk 1 is missing');
  expect(() => joinChunks(items.toSpliced(0, 1))).toThrow('chunk 0 is missing');
});

test('an inline payload fits beside the longest topic', () => {
  const longest = message({
    topic: 'x'.repeat(65_535),
    payload: Buffer.alloc(maxInlineBytes),
    source: 'x'.repeat(2048),
  });
  expect(itemBytes(messageItem(longest, { expiresAtSeconds: 1 }))).toBeLessThan(maxItemBytes);
});

test('no two messages share a partition of chunks, and none is a partition of messages', () => {
  fc.assert(
    fc.property(anyMessage, anyMessage, (a, b) => {
      const partition = messageChunksPartition(a);
      expect(partition).toMatch(/^c\//);
      const isSame = a.topic === b.topic && a.time === b.time && a.id === b.id;
      expect(partition === messageChunksPartition(b)).toBe(isSame);
    }),
  );
  const longest = message({ topic: 'x'.repeat(1000), id: 'x'.repeat(256) });
  expect(Buffer.byteLength(messageChunksPartition(longest))).toBe(1287);
});

test('the item of a large message says all but its payload', () => {
  fc.assert(
    fc.property(anyMessage, (given) => {
      const item = chunkedMessageItem(given, 3, { expiresAtSeconds: 1 });
      const back = messageOf(item);
      expect({ ...back, payload: given.payload }).toEqual(given);
      expect(chunkedPayloadOf(item)).toMatchObject({ chunks: 3, bytes: given.payload.byteLength });
      expect(chunkedPayloadOf(messageItem(given, { expiresAtSeconds: 1 }))).toBeUndefined();
    }),
  );
});
