// Indexes what has come into the log since the last time: reads its segments' heads and writes their references as a run.
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { mapInParallel } from '../contract/parallel.ts';
import { bucketsOf, hourMs, hourOf } from '../segments/segment-key.ts';
import {
  type LogHour,
  readBucket,
  readLogHours,
  type StampRange,
} from '../segments/stored-segments.ts';
import type { ItemSource } from '../table/partition.ts';
import { withoutExpired, withRun } from './manifest.ts';
import { readManifest, replaceManifest } from './manifest-table.ts';
import { compareReferences, expiryOf, type Reference } from './reference.ts';
import type { Run } from './run.ts';
import { writeRun } from './run-writer.ts';
import { referencesIn } from './segment-references.ts';

export interface IndexingOptions extends ItemSource {
  /** The time that stamps of segments are compared with, in milliseconds since 1970. */
  readonly now: () => number;
  readonly signal?: AbortSignal | undefined;
  /** References that are held at once; default {@link defaultMaxReferences}. What has more is indexed in several runs. */
  readonly maxReferences?: number;
  /** Time between a run's last block and the manifest that names it: readers ask replicas. Default none. */
  readonly settleMs?: number;
}

export interface Tick {
  /** Whether there is more to index at once: the index is behind. */
  readonly isBehind: boolean;
  /** Up to which stamp the log is indexed, whether or not something came. */
  readonly untilMs: number;
  /** What has been indexed. */
  readonly segments: number;
  readonly references: number;
  /** Buckets that they were in. */
  readonly buckets: number;
  /** Segments that could not be read, and are in no run: damaged, or of a later version. */
  readonly unreadable: number;
}

/**
 * A segment is confirmed within so much time of its stamp, or is not acknowledged under it: what has an older stamp is
 * there. Writers give up after 3 s; the rest is for clocks that differ: the table's answers tell in whole seconds how far one
 * is off, so that one may be 3 s behind and another 2 s ahead.
 */
export const lagMs = 8000;

/** Buckets that are read side by side. */
const bucketsAtOnce = 4;
/** About 50 MB. */
const defaultMaxReferences = 250_000;
/** What is read at first of a log that has not been indexed for long. */
const firstSliceMs = 60_000;
const minSliceMs = 1000;

/**
 * Indexes up to {@link lagMs} ago, or a part of that where it is much. Two at once are harmless: one of them wins, and what
 * the other has written is read by nobody and expires. Writes nothing where nothing came. Rejects where the database is lost.
 */
export async function tick(options: IndexingOptions): Promise<Tick> {
  const { now, signal } = options;
  const manifest = await readManifest(options, { consistent: true });
  const endMs = now() - lagMs;
  const nothing = { segments: 0, references: 0, buckets: 0, unreadable: 0 };
  const hours = await readLogHours(options, hourOf(manifest.untilMs), { consistent: true });
  let { untilMs: afterMs } = manifest;
  for (let sliceMs = firstSliceMs; ; ) {
    const startMs = nextStart(hours, afterMs);
    if (startMs === undefined || startMs >= endMs)
      return { ...nothing, isBehind: false, untilMs: endMs };
    const slice = { afterMs: startMs, untilMs: Math.min(endMs, startMs + sliceMs) };
    const read = await readSlice(options, hours, slice);
    signal?.throwIfAborted();
    if (read === undefined) {
      sliceMs = Math.max(minSliceMs, sliceMs / 4);
      continue;
    }
    if (read.segments === 0) {
      // Empty stretches of an hour are passed over in larger and larger steps.
      afterMs = slice.untilMs;
      sliceMs = Math.min(hourMs, sliceMs * 2);
      continue;
    }
    const run = await writeReferences(options, read.references);
    await settled(options);
    const next = withRun(withoutExpired(manifest, now()), slice.untilMs, run);
    if (!(await replaceManifest(options, next)))
      return { ...nothing, isBehind: true, untilMs: manifest.untilMs };
    return {
      isBehind: slice.untilMs < endMs,
      untilMs: slice.untilMs,
      segments: read.segments,
      references: read.references.length,
      buckets: read.buckets,
      unreadable: read.unreadable,
    };
  }
}

/** Behind which stamp the log goes on; undefined where it ends. */
function nextStart(hours: readonly LogHour[], afterMs: number): number | undefined {
  const next = hours.find(({ hour }) => (hour + 1) * hourMs > afterMs + 1);
  return next && Math.max(afterMs, next.hour * hourMs - 1);
}

interface Slice {
  readonly references: Reference[];
  readonly segments: number;
  readonly buckets: number;
  readonly unreadable: number;
}

/** The references of a part of the log; undefined where there are too many to hold. */
async function readSlice(
  options: IndexingOptions,
  hours: readonly LogHour[],
  range: StampRange,
): Promise<Slice | undefined> {
  const { afterMs, untilMs } = range;
  const isIn = ({ hour }: LogHour) => hour >= hourOf(afterMs + 1) && hour <= hourOf(untilMs);
  const levels = [...new Set(hours.filter(isIn).map(({ level }) => level))];
  const buckets = levels.flatMap((level) =>
    Array.from({ length: bucketsOf(level) }, (_, bucket) => [level, bucket] as const),
  );
  const slice = {
    references: [] as Reference[],
    segments: 0,
    buckets: buckets.length,
    unreadable: 0,
  };
  const { maxReferences = defaultMaxReferences } = options;
  const mayBeLess = untilMs - afterMs > minSliceMs;
  const isTooMuch = () => mayBeLess && slice.references.length > maxReferences;
  await mapInParallel(buckets, bucketsAtOnce, async ([level, bucket]) => {
    if (isTooMuch()) return;
    for await (const segment of readBucket(options, level, bucket, range, { consistent: true })) {
      const references = referencesIn(segment);
      slice.segments++;
      if (references === undefined) slice.unreadable++;
      else slice.references.push(...references);
      if (isTooMuch()) return;
    }
  });
  return isTooMuch() ? undefined : slice;
}

/** A run of these references; undefined where there are none. */
async function writeReferences(
  options: IndexingOptions,
  references: Reference[],
): Promise<Run | undefined> {
  if (references.length === 0) return undefined;
  references.sort(compareReferences);
  const expiresAtSeconds = references.reduce((last, one) => Math.max(last, expiryOf(one)), 0);
  return writeRun(references, { ...options, run: { id: newRunId(), level: 0 }, expiresAtSeconds });
}

/** Waits until what has been written is on every replica that a reader may ask. */
export async function settled({ settleMs = 0, signal }: IndexingOptions): Promise<void> {
  if (settleMs > 0) await delay(settleMs, undefined, { signal });
}

/** Random, so that no two indexers write into one run. */
export function newRunId(): string {
  return randomBytes(9).toString('base64url');
}
