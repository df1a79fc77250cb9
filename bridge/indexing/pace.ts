// How long to wait between two looks at the log: short where much comes, so that what readers find unindexed stays small.
import type { Tick } from '../../functions/index-runs/tick.ts';

/** Where little comes, and where nothing does. */
const longestMs = 30_000;
const idleMs = 60_000;
const shortestMs = 5000;
/** Segments of a bucket that may come between two looks: a page of a topic reads half a unit for each. */
const segmentsOfBucket = 32;

/** The wait behind a tick that looked at what had come in `sinceMs`. */
export function waitMsAfter({ isBehind, segments, buckets }: Tick, sinceMs: number): number {
  if (isBehind) return 0;
  if (segments === 0) return idleMs;
  const waitMs = (sinceMs * segmentsOfBucket * buckets) / segments;
  return Math.min(longestMs, Math.max(shortestMs, waitMs));
}
