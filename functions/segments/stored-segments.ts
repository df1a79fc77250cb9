// The log of segments as it stands in the table: written to by ingest, read by time or by name.
import { getBatch } from '../table/batch-get.ts';
import type { Item } from '../table/item.ts';
import { type ItemSource, readPartition } from '../table/partition.ts';
import type { ReadBudget } from '../table/read-budget.ts';
import {
  firstHourKey,
  hourLevelKey,
  hourLevelOf,
  hourMs,
  hourOf,
  hoursPartition,
  positionKey,
  type SegmentId,
  segmentIdOf,
  segmentKey,
  segmentSortKey,
  segmentsPartition,
  stampKey,
} from './segment-key.ts';

export interface StoredSegment {
  readonly id: SegmentId;
  readonly bytes: Uint8Array;
}

export interface LogReadOptions {
  /** Whether what was written a moment ago must be seen; twice the units. Default false. */
  readonly consistent?: boolean | undefined;
  /** Booked with every query, and no reason to stop: a log that is read in part would hide messages. */
  readonly budget?: ReadBudget | undefined;
}

/** The stamps that are read: above one, up to another. Milliseconds since 1970. */
export interface StampRange {
  readonly afterMs: number;
  readonly untilMs: number;
}

/** The item of a segment; `topic` is one of its topics. */
export function segmentItem(
  id: SegmentId,
  topic: string,
  bytes: Uint8Array,
  expiresAtSeconds: number,
): Item {
  return {
    ...segmentKey(id, topic),
    bytes: { B: bytes },
    expiresAt: { N: String(expiresAtSeconds) },
  };
}

/** Where the newest segments with messages of a source are: with stamps near this one, or a little later. */
export function positionItem(source: string, stampMs: number, expiresAtSeconds: number): Item {
  return {
    ...positionKey(source),
    stampMs: { N: String(stampMs) },
    expiresAt: { N: String(expiresAtSeconds) },
  };
}

/** What says that segments of a level can stand in the hour of `stampMs`: it is written before the first, or with it. */
export function levelItem(level: number, stampMs: number, expiresAtSeconds: number): Item {
  return {
    pk: { S: hoursPartition },
    sk: { S: hourLevelKey(hourOf(stampMs), level) },
    expiresAt: { N: String(expiresAtSeconds) },
  };
}

/** An hour of the log, in hours since 1970, and a level that segments of it can have. */
export interface LogHour {
  readonly hour: number;
  readonly level: number;
}

/** The hours from one on in which something was written, each with its levels; the oldest first. */
export async function readLogHours(
  source: ItemSource,
  fromHour: number,
  options: LogReadOptions = {},
): Promise<LogHour[]> {
  const hours: LogHour[] = [];
  const range = { low: firstHourKey(fromHour), high: '~', newestFirst: false };
  for await (const item of itemsOf(source, hoursPartition, range, options))
    hours.push(hourLevelOf(item['sk']?.S ?? ''));
  return hours;
}

/** The segments of a bucket in a range of stamps, oldest first. */
export async function* readBucket(
  source: ItemSource,
  level: number,
  bucket: number,
  { afterMs, untilMs }: StampRange,
  options: LogReadOptions = {},
): AsyncGenerator<StoredSegment> {
  const range = { low: stampKey(afterMs + 1), high: `${stampKey(untilMs)}~`, newestFirst: false };
  for (let ms = hourOf(afterMs + 1) * hourMs; ms <= untilMs; ms += hourMs)
    for await (const item of itemsOf(source, segmentsPartition(level, bucket, ms), range, options))
      yield storedSegmentOf(item);
}

/** The segments of these names, each with one of its topics, that there are: in no order. */
export async function getSegments(
  source: ItemSource,
  names: readonly { readonly id: SegmentId; readonly topic: string }[],
  { consistent = false, budget }: LogReadOptions = {},
): Promise<StoredSegment[]> {
  const keys = new Map(
    names.map(({ id, topic }) => [`${id.level} ${segmentSortKey(id)}`, segmentKey(id, topic)]),
  );
  const items = await getBatch(source, [...keys.values()], {}, budget?.unbounded(), consistent);
  return items.map(storedSegmentOf);
}

function storedSegmentOf(item: Item): StoredSegment {
  return { id: segmentIdOf(item), bytes: item['bytes']?.B ?? new Uint8Array() };
}

async function* itemsOf(
  source: ItemSource,
  partition: string,
  range: { low: string; high: string; newestFirst: boolean },
  { consistent = false, budget }: LogReadOptions,
): AsyncGenerator<Item> {
  const steps = readPartition(source, partition, range, {
    maxQueries: Number.POSITIVE_INFINITY,
    consistent,
    budget: budget?.unbounded(),
  });
  for await (const { item } of steps) if (item !== undefined) yield item;
}
