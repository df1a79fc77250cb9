// The feed as it stands in the table: who writes to it, and the entries of each in their order.
import type { Item } from '../table/item.ts';
import { type ItemSource, readPartition, unexpired } from '../table/partition.ts';
import type { ReadBudget } from '../table/read-budget.ts';
import { type FeedEntry, feedEntryOf, feedPartition, stampOf } from './feed-entry.ts';

const writersPartition = 'feed-writers';
/** A writer is known for so long after it last said that it is there. */
const knownSeconds = 7200;
const maxWriters = 1000;
/** Entries of a writer that are read at once. */
const maxEntries = 200;

/** What says that a writer is there. */
export function writerItem(writer: string, seconds: number): Item {
  return {
    pk: { S: writersPartition },
    sk: { S: writer },
    expiresAt: { N: String(seconds + knownSeconds) },
  };
}

/** What one query found. */
export interface Entries {
  readonly entries: readonly FeedEntry[];
  readonly isWhole: boolean;
}

export interface FeedLog {
  /** Those that have written within the last hour, and maybe some others. */
  writers(nowMs: number): Promise<string[]>;
  /** Entries of a writer behind a key, the oldest first, and whether there are no more. */
  entries(writer: string, afterKey: string, untilKey?: string): Promise<Entries>;
  /** The largest stamp of all writers; 0 where nothing is noted. */
  newestMs(nowMs: number): Promise<number>;
}

/** Reads are strongly consistent: who sees an entry of a writer sees all before it. */
export function createFeedLog(source: ItemSource, budget?: ReadBudget): FeedLog {
  async function newestOf(writer: string): Promise<number> {
    const range = { low: '0', high: '~', newestFirst: true };
    const options = { maxQueries: 1, maxItems: 1, consistent: true, budget: budget?.unbounded() };
    for await (const { key } of readPartition(source, feedPartition(writer), range, options))
      return stampOf(key);
    return 0;
  }

  const log: FeedLog = {
    async newestMs(nowMs) {
      const writers = await log.writers(nowMs);
      return Math.max(0, ...(await Promise.all(writers.map(newestOf))));
    },
    async writers(nowMs) {
      const writers: string[] = [];
      const steps = readPartition(
        source,
        writersPartition,
        { low: '0', high: '~', newestFirst: false },
        {
          maxQueries: 1,
          maxItems: maxWriters,
          consistent: true,
          budget: budget?.unbounded(),
          filter: unexpired(nowMs),
        },
      );
      for await (const { key, item } of steps) if (item !== undefined) writers.push(key);
      return writers;
    },
    async entries(writer, afterKey, untilKey = '~') {
      const entries: FeedEntry[] = [];
      const range = { low: '0', high: untilKey, newestFirst: false, after: afterKey };
      const steps = readPartition(source, feedPartition(writer), range, {
        maxQueries: 1,
        maxItems: maxEntries,
        consistent: true,
        budget: budget?.unbounded(),
      });
      for (;;) {
        const { done, value } = await steps.next();
        if (done === true) return { entries, isWhole: value };
        if (value.item !== undefined) entries.push(feedEntryOf(value.item));
      }
    },
  };
  return log;
}
