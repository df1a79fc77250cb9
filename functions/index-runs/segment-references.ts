// What the index has to know of a segment: a reference for each of its topics.
import { segmentHead } from '../segments/segment-codec.ts';
import type { StoredSegment } from '../segments/stored-segments.ts';
import { type Reference, referenceTo } from './reference.ts';

/** The references of a segment, or undefined where it cannot be read: damaged, or of a later version. */
export function referencesIn({ id, bytes }: StoredSegment): Reference[] | undefined {
  const head = segmentHead(bytes);
  if (!head.ok) return undefined;
  const { retentionDays, topics } = head.value;
  return topics.map(({ topic, count, first, last }) =>
    // Microseconds are cut off: the last time may be up to one millisecond later.
    referenceTo(id, { topic, count, retentionDays }, first.ms, last.ms + 1),
  );
}
