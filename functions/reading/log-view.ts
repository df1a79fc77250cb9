// What is packed, as it stands at one moment: the runs of the manifest, and the tail of the log that no run has yet. What
// has been read of it is kept as long as the view, so that a request for many topics reads the tail once.
import { mapInParallel } from '../contract/parallel.ts';
import type { Manifest } from '../index-runs/manifest.ts';
import { readManifest } from '../index-runs/manifest-table.ts';
import { type Reference, summaryOf } from '../index-runs/reference.ts';
import { referencesIn } from '../index-runs/segment-references.ts';
import { bucketOf, bucketsOf, hourMs } from '../segments/segment-key.ts';
import { readBucket, readLogHours, type StoredSegment } from '../segments/stored-segments.ts';
import type { ItemSource } from '../table/partition.ts';
import type { ReadBudget } from '../table/read-budget.ts';
import { compareSortKeys } from '../table/sort-keys.ts';
import { ReadSegment } from './read-segment.ts';

/** Buckets that are read side by side. */
const bucketsAtOnce = 8;

export interface LogView extends ItemSource {
  readonly manifest: Manifest;
  /** The tail's segments that can have messages of a topic. */
  tailOf(topic: string): Promise<readonly ReadSegment[]>;
  /** The topics of the tail, sorted, each with its newest reference and the count of all. */
  tailTopics(): Promise<readonly Reference[]>;
}

interface TailBucket {
  readonly segments: readonly StoredSegment[];
  readonly byTopic: ReadonlyMap<string, readonly ReadSegment[]>;
}

/**
 * The index is so far behind that the tail does not fit the memory of a reader, beside those of others. It catches up by
 * itself once a bridge can write it.
 */
export class TailTooLong extends Error {}

/** Bytes of segments that a view holds: with their topics they take a few times as much. */
const defaultMaxTailBytes = 32 * 1024 * 1024;

export async function openLogView(
  source: ItemSource,
  budget?: ReadBudget,
  maxTailBytes = defaultMaxTailBytes,
): Promise<LogView> {
  const { client, tableName } = source;
  const manifest = await readManifest(source, { budget });
  const { untilMs } = manifest;
  // Behind the manifest: it may be of a moment ago, but what it says it does not have is looked for now.
  const hours = await readLogHours(source, Math.floor(untilMs / hourMs), { budget });
  const levels = [...new Set(hours.map(({ level }) => level))];
  const buckets = new Map<string, Promise<TailBucket>>();
  let tailBytes = 0;

  function tailBucket(level: number, bucket: number): Promise<TailBucket> {
    const name = `${level}.${bucket}`;
    let found = buckets.get(name);
    if (found === undefined) {
      found = readTail(level, bucket);
      buckets.set(name, found);
    }
    return found;
  }

  async function readTail(level: number, bucket: number): Promise<TailBucket> {
    const own = hours.filter((one) => one.level === level);
    const segments: StoredSegment[] = [];
    for (const { hour } of own) {
      const range = {
        afterMs: Math.max(untilMs, hour * hourMs - 1),
        untilMs: (hour + 1) * hourMs - 1,
      };
      for await (const segment of readBucket(source, level, bucket, range, { budget })) {
        segments.push(segment);
        tailBytes += segment.bytes.byteLength;
        const isHeld = budget?.mayHold(segment.bytes.byteLength) !== false;
        if (tailBytes > maxTailBytes || !isHeld)
          throw new TailTooLong(`the index is behind since ${new Date(untilMs).toISOString()}`);
      }
    }
    return { segments, byTopic: segmentsByTopic(segments) };
  }

  return {
    client,
    tableName,
    manifest,
    async tailOf(topic) {
      const found = await Promise.all(
        levels.map((level) => tailBucket(level, bucketOf(topic, level))),
      );
      return found.flatMap(({ byTopic }) => byTopic.get(topic) ?? []);
    },
    async tailTopics() {
      const names = levels.flatMap((level) =>
        Array.from({ length: bucketsOf(level) }, (_, bucket) => [level, bucket] as const),
      );
      const found = await mapInParallel(names, bucketsAtOnce, (name) => tailBucket(...name));
      const topics = new Map<string, Reference>();
      for (const reference of found.flatMap(({ segments }) =>
        segments.flatMap((one) => referencesIn(one) ?? []),
      ))
        topics.set(reference.topic, summaryOf(topics.get(reference.topic), reference));
      return [...topics.values()].sort((a, b) => compareSortKeys(a.topic, b.topic));
    },
  };
}

function segmentsByTopic(segments: readonly StoredSegment[]): Map<string, ReadSegment[]> {
  const byTopic = new Map<string, ReadSegment[]>();
  for (const segment of segments) {
    const read = new ReadSegment(segment);
    for (const { topic } of referencesIn(segment) ?? []) {
      const others = byTopic.get(topic);
      if (others === undefined) byTopic.set(topic, [read]);
      else others.push(read);
    }
  }
  return byTopic;
}
