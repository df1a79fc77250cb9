// Packed messages for tests: segments as ingest writes them, with a stamp of one's own.
import type { Message } from '../../functions/contract/message.ts';
import { encodeSegment } from '../../functions/segments/segment-codec.ts';
import { bucketOf } from '../../functions/segments/segment-key.ts';
import { levelItem, segmentItem } from '../../functions/segments/stored-segments.ts';
import { putBatch } from '../../functions/table/batch-write.ts';
import type { Item } from '../../functions/table/item.ts';
import type { ItemSource } from '../../functions/table/partition.ts';

export interface Written {
  readonly stampMs: number;
  readonly level?: number;
  readonly retentionDays?: number;
  readonly writer?: string;
}

let sequence = 0;

/** The items of a request's messages: one segment a bucket. */
export function segmentItems(
  messages: readonly Message[],
  { stampMs, level = 0, retentionDays = 3650, writer = 'writer' }: Written,
): Item[] {
  const buckets = grouped(messages, ({ topic }) => bucketOf(topic, level));
  const expiresAt = Math.floor(stampMs / 1000) + retentionDays * 86_400;
  return [
    levelItem(level, stampMs, expiresAt),
    ...[...buckets.values()].map((own) => {
      sequence = (sequence + 1) % 46_656;
      const id = { level, stampMs, writer, sequence };
      const bytes = encodeSegment({ retentionDays, messages: own });
      return segmentItem(id, own[0]?.topic ?? '', bytes, expiresAt);
    }),
  ];
}

export async function putItems(source: ItemSource, items: readonly Item[]): Promise<void> {
  const left = [...items];
  while (left.length > 0) {
    const { items: unput, error } = await putBatch(left.splice(0, 25), {
      ...source,
      now: Date.now,
      deadlineMs: Date.now() + 60_000,
    });
    if (unput.length > 0) throw error ?? new Error('not written');
  }
}

export async function putSegments(
  source: ItemSource,
  messages: readonly Message[],
  written: Written,
): Promise<void> {
  await putItems(source, segmentItems(messages, written));
}

/** Values by what `keyOf` makes of them. */
export function grouped<K, V>(values: readonly V[], keyOf: (value: V) => K): Map<K, V[]> {
  const groups = new Map<K, V[]>();
  for (const value of values) {
    const key = keyOf(value);
    groups.set(key, [...(groups.get(key) ?? []), value]);
  }
  return groups;
}
