// What is stored of one message: where each copy of it stands, as an item of its own or in a segment with others.
import type { Message } from '../../functions/contract/message.ts';
import { createStoredMessages, timeRange } from '../../functions/reading/stored-messages.ts';
import { decodeSegment } from '../../functions/segments/segment-codec.ts';
import { bucketOf, hourMs, hourOf, segmentKey } from '../../functions/segments/segment-key.ts';
import { readBucket, readLogHours } from '../../functions/segments/stored-segments.ts';
import { maxShards, messagePartition, messageSortKey } from '../../functions/table/item.ts';
import { type ItemSource, readPartition } from '../../functions/table/partition.ts';

/** A copy of a message: its key in the table, and for how long it is kept. */
export type StoredCopy =
  | { readonly as: 'item'; readonly pk: string; readonly sk: string; readonly expiresAt: string }
  | {
      readonly as: 'segment';
      readonly pk: string;
      readonly sk: string;
      /** Of the segment. */
      readonly bytes: number;
      readonly messages: number;
      readonly retentionDays: number;
    };

export interface StoredMessage {
  readonly message: Message;
  readonly copies: readonly StoredCopy[];
}

/** A segment is looked for so long behind the time of receipt: a message that was replayed later is in a later one. */
const segmentHours = 24;

/** Every message of a topic with this id; they differ in their time of receipt. Reads the whole topic. */
export async function storedCopies(
  table: ItemSource,
  topic: string,
  id: string,
): Promise<StoredMessage[]> {
  const stored = createStoredMessages({ ...table, writeShards: maxShards });
  const found: StoredMessage[] = [];
  const range = { ...timeRange(undefined, undefined), newestFirst: true };
  const bounds = { maxQueries: Number.POSITIVE_INFINITY };
  for await (const { key, item } of stored.messageSteps(topic, range, bounds)) {
    if (item === undefined || !key.endsWith(`#${id}`)) continue;
    const message = await stored.whole(item);
    if (message.id !== id) continue;
    const copies = [...(await itemsOf(table, message)), ...(await segmentsOf(table, message))];
    found.push({ message, copies });
  }
  return found;
}

async function itemsOf(table: ItemSource, message: Message): Promise<StoredCopy[]> {
  const sk = messageSortKey(message);
  const copies: StoredCopy[] = [];
  for (let shard = 0; shard < maxShards; shard++) {
    const pk = messagePartition(message.topic, shard);
    const range = { low: sk, high: sk, newestFirst: false };
    for await (const { item } of readPartition(table, pk, range, { maxQueries: 1 }))
      if (item !== undefined) {
        const expiresAt = new Date(Number(item['expiresAt']?.N) * 1000).toISOString();
        copies.push({ as: 'item', pk, sk, expiresAt });
      }
  }
  return copies;
}

async function segmentsOf(table: ItemSource, message: Message): Promise<StoredCopy[]> {
  const { topic, id, time } = message;
  const receivedMs = Date.parse(time);
  // The clock of who received it may be ahead of who wrote it.
  const range = { afterMs: receivedMs - hourMs, untilMs: receivedMs + segmentHours * hourMs };
  const hours = await readLogHours(table, hourOf(range.afterMs));
  const near = hours.filter(({ hour }) => hour <= hourOf(range.untilMs));
  const copies: StoredCopy[] = [];
  for (const level of new Set(near.map((one) => one.level)))
    for await (const segment of readBucket(table, level, bucketOf(topic, level), range)) {
      const decoded = decodeSegment(segment.bytes);
      if (!decoded.ok) continue;
      const { messages, retentionDays } = decoded.value;
      if (!messages.some((one) => one.topic === topic && one.id === id && one.time === time))
        continue;
      const { pk, sk } = segmentKey(segment.id, topic);
      copies.push({
        as: 'segment',
        pk: pk.S,
        sk: sk.S,
        bytes: segment.bytes.byteLength,
        messages: messages.length,
        retentionDays,
      });
    }
  return copies;
}
