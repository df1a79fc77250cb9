// Notes what was stored, while somebody watches: one entry for all that is due, one after the other, so that a writer's
// entries become visible in their order. Nothing that is stored ever waits long for it, or fails for it.
import { randomInt } from 'node:crypto';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { putBatch } from '../table/batch-write.ts';
import type { Item } from '../table/item.ts';
import {
  entryKey,
  entrySequences,
  type FeedPart,
  feedItem,
  groupsOf,
  writerLength,
} from './feed-entry.ts';
import { createFeedLog, writerItem } from './feed-log.ts';
import { readWatch } from './watch.ts';

export interface FeedWriterOptions {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  /** Time between two looks at whether somebody watches, in milliseconds. */
  readonly checkMs: number;
  /** The time by the table's clock, in milliseconds since 1970. */
  readonly tableNow: () => number;
  /** Time for each look at the table, and for each put, in milliseconds: what is stored waits for its note. Default 2,000. */
  readonly noteMs?: number;
}

/** When what was stored before was noted, in milliseconds since 1970; or its sender cannot know. */
export type NotedBefore = number | 'unknown';

/**
 * Notes the parts, with a stamp above `after`: whatever the clock says, they come behind what was stored before them.
 * Resolves once they are noted, with a stamp that is not below theirs; undefined where nobody watches, or it is noted that
 * they are not. Rejects never.
 */
export type NoteStored = (
  parts: readonly FeedPart[],
  after?: NotedBefore,
) => Promise<number | undefined>;

/** Entries are kept so long: a reader can come back within it. */
export const entryKeptSeconds = 86_400;
/** Time that a note may take. */
const defaultNoteMs = 2000;
/** A writer says that it is there once in half of the time for which it is known. */
const presentEveryMs = 1_800_000;
const maxPuts = 25;
/** A stamp is so far ahead of the own clock at most: other writers' clocks differ by less. */
const maxAheadMs = 10_000;

export function createFeedWriter(options: FeedWriterOptions): NoteStored {
  const { client, tableName, checkMs, tableNow, noteMs = defaultNoteMs } = options;
  const source = { client, tableName };
  const log = createFeedLog(source);
  const writer = randomInt(36 ** writerLength)
    .toString(36)
    .padStart(writerLength, '0');
  let watchedUntilMs = 0;
  let checkedMs = Number.NEGATIVE_INFINITY;
  let checking: Promise<void> | undefined;
  let presentMs = Number.NEGATIVE_INFINITY;
  let lastStampMs = 0;
  /** All of the next stamps are above it. */
  let floorMs = 0;
  let sequence = 0;
  let missedSinceMs: number | undefined;
  let pending: FeedPart[] = [];
  let writing: Promise<void> | undefined;

  /** What a look at the table gives; undefined where it fails, or takes too long. */
  async function inTime<T>(look: Promise<T>): Promise<T | undefined> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), noteMs);
    });
    return Promise.race([look.catch(() => undefined), late]).finally(() => clearTimeout(timer));
  }

  async function check(): Promise<void> {
    const startedMs = performance.now();
    // Where that cannot be read, what was known holds.
    const watch = await inTime(readWatch(source));
    checkedMs = startedMs;
    if (watch !== undefined) watchedUntilMs = watch.untilMs;
  }

  async function isWatched(): Promise<boolean> {
    if (performance.now() - checkedMs >= checkMs) {
      checking ??= check().finally(() => {
        checking = undefined;
      });
      await checking;
    }
    return tableNow() < watchedUntilMs;
  }

  /** Its key is above all before it, whatever the clock says. */
  function nextKey(): string {
    const nowMs = Math.max(lastStampMs, Math.floor(tableNow()), floorMs + 1);
    sequence = nowMs === lastStampMs ? sequence + 1 : 0;
    lastStampMs = sequence < entrySequences ? nowMs : nowMs + 1;
    sequence %= entrySequences;
    return entryKey(lastStampMs, sequence);
  }

  async function put(items: readonly Item[]): Promise<boolean> {
    for (let start = 0; start < items.length; start += maxPuts) {
      const { items: left } = await putBatch(items.slice(start, start + maxPuts), {
        client,
        tableName,
        deadlineMs: performance.now() + noteMs,
        now: () => performance.now(),
        abortSignal: AbortSignal.timeout(noteMs),
      });
      if (left.length > 0) return false;
    }
    return true;
  }

  async function write(parts: readonly FeedPart[]): Promise<void> {
    const startedMs = Math.floor(tableNow());
    const seconds = Math.ceil(startedMs / 1000);
    if (startedMs - presentMs >= presentEveryMs) {
      // Before its entries: a reader looks only for entries of writers that it finds here.
      if (!(await put([writerItem(writer, seconds)]))) return missed(startedMs);
      presentMs = startedMs;
    }
    const items = Array.from(groupsOf(parts), (group) => {
      const key = nextKey();
      return feedItem(
        { writer, key, stampMs: lastStampMs, parts: group, missedSinceMs },
        seconds + entryKeptSeconds,
      );
    });
    // One after the other: items of one call become visible in no order.
    for (const item of items) if (!(await put([item]))) return missed(startedMs);
    missedSinceMs = undefined;
  }

  function missed(sinceMs: number): void {
    missedSinceMs ??= sinceMs;
  }

  async function writeAll(): Promise<void> {
    while (pending.length > 0) {
      const parts = pending;
      pending = [];
      await write(parts);
    }
  }

  /** Who cannot know is a bridge that begins, and may have taken over what another one did. */
  async function msOf(after: NotedBefore): Promise<number> {
    if (after !== 'unknown') return after;
    // Where that cannot be read, the clock holds.
    return (await inTime(log.newestMs(tableNow()))) ?? 0;
  }

  return async (parts, after = 0) => {
    if (parts.length === 0 || !(await isWatched())) return undefined;
    const afterMs = await msOf(after);
    floorMs = Math.max(floorMs, Math.min(afterMs, Math.floor(tableNow()) + maxAheadMs));
    pending.push(...parts);
    // What comes while an entry is being written goes into the next one, and waits for that.
    const before = writing;
    if (before !== undefined) await before;
    if (pending.length > 0)
      writing ??= writeAll().finally(() => {
        writing = undefined;
      });
    await writing;
    return missedSinceMs === undefined ? lastStampMs : undefined;
  };
}
