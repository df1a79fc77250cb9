// Keys of the log of segments. A segment stands in the partition of its hour and of its topics' bucket, sorted by the time at
// which it was written: so what has come since a moment is one range of each bucket.
import { crc32 } from 'node:zlib';
import { type Item, textAt, topicKey } from '../table/item.ts';

/** What names a segment, together with a topic in it. */
export interface SegmentId {
  /** Into how many buckets its request was split: 0 to {@link maxLevel}. */
  readonly level: number;
  /** When it was written, by its writer's clock: milliseconds since 1970. */
  readonly stampMs: number;
  /** The instance that wrote it: {@link writerLength} random characters. */
  readonly writer: string;
  /** Tells apart what a writer writes within a millisecond: 0 to {@link sequences} − 1. */
  readonly sequence: number;
}

export const hourMs = 3_600_000;

/** The highest level: 256 buckets. */
export const maxLevel = 4;

const stampLength = 9;
/** 31 bits. */
export const writerLength = 6;
const sequenceLength = 3;
export const sequences = 36 ** sequenceLength;

export function bucketsOf(level: number): number {
  return 4 ** level;
}

/** The bucket of a topic, 0 to {@link bucketsOf} − 1: the first bits of its hash. It must never change: readers compute it too. */
export function bucketOf(topic: string, level: number): number {
  if (level === 0) return 0;
  // A CRC alone maps names in a row to few buckets.
  return (Math.imul(crc32(topic), 0x9e3779b1) >>> 0) >>> (32 - 2 * level);
}

/** Partition of the segments of a bucket that were written in the hour of `stampMs`. */
export function segmentsPartition(level: number, bucket: number, stampMs: number): string {
  return `s${level}.${bucket}/${hourOf(stampMs)}`;
}

/** Hours since 1970. */
export function hourOf(ms: number): number {
  return Math.floor(ms / hourMs);
}

/** The beginning of a sort key: every segment of this stamp has it, later ones sort behind. */
export function stampKey(stampMs: number): string {
  return digits(stampMs, stampLength);
}

export function segmentSortKey({ stampMs, writer, sequence }: SegmentId): string {
  return `${stampKey(stampMs)}${writer}${digits(sequence, sequenceLength)}`;
}

/** Key of the segment that holds messages of `topic`. */
export function segmentKey(id: SegmentId, topic: string): { pk: { S: string }; sk: { S: string } } {
  return {
    pk: { S: segmentsPartition(id.level, bucketOf(topic, id.level), id.stampMs) },
    sk: { S: segmentSortKey(id) },
  };
}

/** The name of the segment that an item is. Throws where it is none: that is a bug or a foreign write. */
export function segmentIdOf(item: Item): SegmentId {
  const [, level] = /^s(\d)\./.exec(textAt(item, 'pk')) ?? [];
  const sk = textAt(item, 'sk');
  const sequenceStart = stampLength + writerLength;
  const stampMs = Number.parseInt(sk.slice(0, stampLength), 36);
  const sequence = Number.parseInt(sk.slice(sequenceStart), 36);
  if (level === undefined || Number.isNaN(stampMs) || Number.isNaN(sequence))
    throw new Error('the item is no segment');
  return { level: Number(level), stampMs, writer: sk.slice(stampLength, sequenceStart), sequence };
}

/** Partition that says which hours have segments, and of which levels: an item for each. */
export const hoursPartition = 'segment-hours';

/** Digits of an hour, so that they sort as numbers. */
const hourDigits = 7;

/** Sort key of a level of an hour; {@link firstHourKey} is before all levels of it. */
export function hourLevelKey(hour: number, level: number): string {
  return `${firstHourKey(hour)}/${level}`;
}

export function firstHourKey(hour: number): string {
  return String(hour).padStart(hourDigits, '0');
}

/** The hour and the level that a sort key names. */
export function hourLevelOf(sortKey: string): { hour: number; level: number } {
  const [hour, level] = sortKey.split('/').map(Number);
  return { hour: hour ?? Number.NaN, level: level ?? Number.NaN };
}

/** Key of where the newest segments with messages of a source are. */
export function positionKey(source: string): { pk: { S: string }; sk: { S: string } } {
  return { pk: { S: `position/${topicKey(source)}` }, sk: { S: 'segment' } };
}

function digits(value: number, length: number): string {
  return value.toString(36).padStart(length, '0');
}
