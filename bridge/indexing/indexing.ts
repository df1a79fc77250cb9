// Keeps the index of packed messages: looks at the log again and again, and merges runs beside it. One bridge of several
// does it, by a lease; two at once would be harmless.
import type { Logger } from 'pino';
import { mergeRuns } from '../../functions/index-runs/merge-runs.ts';
import { type IndexingOptions as IndexOptions, tick } from '../../functions/index-runs/tick.ts';
import type { ItemSource } from '../../functions/table/partition.ts';
import { followTableClock } from '../../functions/table/table-clock.ts';
import { changedOrAborted, untilAborted, waitUnless } from '../base/aborted.ts';
import { Bell } from '../base/bell.ts';
import { type Acquire, endsOf, whileLeased } from '../base/leased.ts';
import { waitMsAfter } from './pace.ts';

export interface IndexingOptions {
  /** Where the messages are. */
  readonly source: ItemSource;
  /** Absent where there is one bridge. */
  readonly acquire: Acquire | undefined;
  readonly log: Logger;
  /** The time in ms since 1970; by default that of the table. */
  readonly now?: (() => number) | undefined;
}

export interface Indexing {
  /** How far the index is behind the log, in ms: some seconds at least; 0 where another bridge writes it. */
  delayMs(): number;
  /** Stops where it is, until `signal` aborts: the next bridge goes on there. */
  drain(signal: AbortSignal): Promise<void>;
}

/** One table has one index, whichever bridges there are. */
const leaseName = 'indexing';
/** Runs of these levels have what came in some minutes. */
const isSmall = (level: number) => level < 2;
/** Replicas are behind by less, as a rule by some milliseconds. */
const settleMs = 1000;
/** After the table did not answer. */
const retryMs = 2000;

export function startIndexing({ source, acquire, log, ...options }: IndexingOptions): Indexing {
  const stop = new AbortController();
  const now = options.now ?? followTableClock(source.client);
  const { client, tableName } = source;
  /** Up to where the index is; undefined where another bridge writes it. */
  let untilMs: number | undefined;

  /** Runs `work` until `signal` aborts, and again where the database was lost meanwhile. */
  async function untilStopped(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
    let isFailing = false;
    while (!signal.aborted) {
      try {
        await work();
        isFailing = false;
      } catch (error) {
        if (signal.aborted) return;
        // What is not indexed is read all the same, at a higher price.
        if (!isFailing) log.warn({ reason: String(error) }, 'the index waits: trying again');
        isFailing = true;
        await waitUnless(retryMs, new Promise(() => {}), signal);
      }
    }
  }

  async function index(signal: AbortSignal): Promise<void> {
    const indexing: IndexOptions = { client, tableName, now, signal, settleMs };
    // A merge of large runs takes long: small ones must not wait for it.
    const merges = [isSmall, (level: number) => !isSmall(level)].map((isWanted) => {
      const bell = new Bell();
      bell.ring();
      return { isWanted, bell };
    });
    // Until the first look has told: so one that never succeeds shows.
    untilMs = now();
    let lookedMs = performance.now();
    let sinceMs = 0;
    const ticks = untilStopped(signal, async () => {
      const startedMs = performance.now();
      sinceMs = startedMs - lookedMs;
      lookedMs = startedMs;
      const done = await tick(indexing);
      untilMs = done.untilMs;
      if (done.unreadable > 0)
        log.error(
          { segments: done.unreadable },
          'segments of the log cannot be read: their messages are in no answer',
        );
      if (done.references > 0) for (const { bell } of merges) bell.ring();
      const waitMs = waitMsAfter(done, sinceMs);
      if (waitMs > 0) await waitUnless(waitMs, new Promise(() => {}), signal);
    });
    const merging = merges.map(({ isWanted, bell }) =>
      untilStopped(signal, async () => {
        await changedOrAborted(bell.rung(), signal);
        while (!signal.aborted && (await mergeRuns({ ...indexing, isWanted })));
      }),
    );
    await Promise.all([ticks, ...merging]);
  }

  const leased = { acquire, name: leaseName, log, signal: stop.signal };
  const running = whileLeased(leased, async (lease) => {
    const ending = new AbortController();
    const indexed = index(ending.signal);
    await untilAborted(...endsOf(lease, stop.signal));
    ending.abort();
    await indexed;
    untilMs = undefined;
  });

  return {
    delayMs: () => (untilMs === undefined ? 0 : Math.max(0, now() - untilMs)),
    async drain(signal) {
      stop.abort();
      await Promise.race([running, untilAborted(signal)]);
    },
  };
}
