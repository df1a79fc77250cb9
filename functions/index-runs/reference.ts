// What the index knows of a topic in a segment: where the segment is, how many messages of the topic it has, and of which
// times. Times are rounded outwards, so that a reader may choose by them; the exact ones are in the segment.
import { type SegmentId, segmentSortKey } from '../segments/segment-key.ts';
import { compareSortKeys } from '../table/sort-keys.ts';

export interface Reference {
  readonly topic: string;
  readonly id: SegmentId;
  /** Messages of the topic in the segment. */
  readonly count: number;
  /** No message is older; milliseconds since 1970. */
  readonly firstMs: number;
  /** No message is newer; milliseconds since 1970. */
  readonly lastMs: number;
  /** A message expires so many days after its time. */
  readonly retentionDays: number;
}

/** Times are told by so many milliseconds: what they differ by from the stamp takes a byte less. */
export const timeStepMs = 16;

const daySeconds = 86_400;

/** The reference of a topic in a segment, by the times of its messages in milliseconds. */
export function referenceTo(
  id: SegmentId,
  { topic, count, retentionDays }: Pick<Reference, 'topic' | 'count' | 'retentionDays'>,
  firstMs: number,
  lastMs: number,
): Reference {
  const last = id.stampMs - timeStepMs * Math.floor((id.stampMs - lastMs) / timeStepMs);
  const first = last - timeStepMs * Math.ceil((last - firstMs) / timeStepMs);
  return { topic, id, count, firstMs: first, lastMs: last, retentionDays };
}

/** When the last of its messages has expired, in seconds since 1970. */
export function expiryOf({ lastMs, retentionDays }: Reference): number {
  return Math.ceil(lastMs / 1000) + retentionDays * daySeconds;
}

/** The order of a run: by topic as sort keys are ordered, then by the newest time. */
export function compareReferences(a: Reference, b: Reference): number {
  if (a.topic !== b.topic) return compareSortKeys(a.topic, b.topic);
  return a.lastMs - b.lastMs;
}

/** Whether two references of one topic lead to the same segment. */
export function isSameSegment(a: Reference, b: Reference): boolean {
  return (
    a.id.stampMs === b.id.stampMs &&
    a.id.sequence === b.id.sequence &&
    a.id.writer === b.id.writer &&
    a.id.level === b.id.level
  );
}

/** One text for each segment that a topic can be in. */
export function segmentName(id: SegmentId): string {
  return `${id.level}${segmentSortKey(id)}`;
}

/**
 * Two references of a topic as one: the newest, with the count of both and the longest that one is kept. Its `firstMs` is
 * another one: no message of another segment is newer.
 */
export function summaryOf(before: Reference | undefined, next: Reference): Reference {
  if (before === undefined || before.topic !== next.topic) return next;
  const [newest, other] = next.lastMs >= before.lastMs ? [next, before] : [before, next];
  const othersMs = Math.max(newest.firstMs, other.lastMs);
  return {
    ...newest,
    count: before.count + next.count,
    firstMs: newest.lastMs - timeStepMs * Math.floor((newest.lastMs - othersMs) / timeStepMs),
    retentionDays: Math.max(before.retentionDays, next.retentionDays),
  };
}
