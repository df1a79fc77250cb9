// Bytes above DynamoDB's 400 KB item limit as several items: cut into chunks, and put together again.
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { Item } from './item.ts';

/** The largest item that DynamoDB takes, attribute names included. */
export const maxItemBytes = 400 * 1024;

/**
 * Payload bytes that fit into one item beside a topic of 65,535 bytes and all that we add ourselves. MQTT 5
 * properties may be as long again, each of them: with any of those, `itemBytes` decides.
 */
export const maxInlineBytes = 256 * 1024;

/** A chunk's key, with a partition key of up to 2,048 bytes, and its other attributes fit into the rest. */
export const maxChunkBytes = 350 * 1024;

/** Digits of a chunk's index: a million chunks, far beyond the 256 MB of the largest MQTT packet. */
const indexDigits = 6;

/** Items that hold `bytes` in a partition of their own. No bytes make no items. */
export function chunkItems(
  partition: string,
  bytes: Uint8Array,
  expiresAtSeconds: number | undefined,
): Item[] {
  const items: Item[] = [];
  for (let start = 0; start < bytes.byteLength; start += maxChunkBytes) {
    items.push({
      ...chunkItem(partition, items.length, bytes.subarray(start, start + maxChunkBytes)),
      ...(expiresAtSeconds !== undefined && { expiresAt: { N: String(expiresAtSeconds) } }),
    });
  }
  return items;
}

/** One of the items that hold what has more than `maxChunkBytes`; all but the last have exactly that many. */
export function chunkItem(partition: string, index: number, bytes: Uint8Array): Item {
  return { pk: { S: partition }, sk: { S: chunkSortKey(index) }, bytes: { B: bytes } };
}

function chunkSortKey(index: number): string {
  return String(index).padStart(indexDigits, '0');
}

/** Keys of the first `count` chunks of a partition. */
export function chunkKeys(
  partition: string,
  count: number,
): { pk: { S: string }; sk: { S: string } }[] {
  return Array.from({ length: count }, (_, index) => ({
    pk: { S: partition },
    sk: { S: chunkSortKey(index) },
  }));
}

/** The bytes that `items`, all chunks of one partition in any order, were made from. */
export function joinChunks(items: readonly Item[]): Uint8Array {
  const indexed = items.map((item) => ({ index: item['sk']?.S ?? '', bytes: item['bytes']?.B }));
  indexed.sort((a, b) => (a.index < b.index ? -1 : 1));
  return Buffer.concat(
    indexed.map(({ index, bytes }, position) => {
      if (bytes === undefined || Number(index) !== position)
        throw new Error(`chunk ${position} is missing`);
      return bytes;
    }),
  );
}

/** Bytes that an item counts for in DynamoDB, or a few more: numbers are taken at their longest. */
export function itemBytes(item: Item): number {
  let bytes = 0;
  for (const [name, value] of Object.entries(item)) {
    bytes += Buffer.byteLength(name) + valueBytes(value);
  }
  return bytes;
}

function valueBytes(value: AttributeValue): number {
  if (value.S !== undefined) return Buffer.byteLength(value.S);
  if (value.B !== undefined) return value.B.byteLength;
  if (value.N !== undefined) return 21;
  // Three bytes for a list or a map, and one for each of its elements.
  if (value.L !== undefined)
    return value.L.reduce((bytes, element) => bytes + 1 + valueBytes(element), 3);
  if (value.M !== undefined) return 3 + Object.keys(value.M).length + itemBytes(value.M);
  return 1;
}
