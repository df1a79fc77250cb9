// The replays of a bridge: run one after the other by the one bridge that has their lease.
import type { Logger } from 'pino';
import type { Message } from '../../functions/contract/message.ts';
import { pause } from '../../functions/contract/pause.ts';
import { problem } from '../../functions/contract/problem.ts';
import { createStoredMessages } from '../../functions/reading/stored-messages.ts';
import type { ItemSource } from '../../functions/table/partition.ts';
import type { Replay } from '../../functions/table/replay.ts';
import { untilAborted, waitUnless } from '../base/aborted.ts';
import { Bell } from '../base/bell.ts';
import { type Changes, unmarkedChanges } from '../base/change-watch.ts';
import { type Acquire, endsOf, whileLeased } from '../base/leased.ts';
import { Pace, paceBatch } from '../base/pace.ts';
import type {
  Replay as ReplayDeadLetter,
  ReplayRoute,
} from '../dead-letters/dead-letter-replay.ts';
import { type TraceStore, Traces } from '../forwarding/traces.ts';
import type { ReplayTable } from './replay-table.ts';
import { type RunOptions, runReplay } from './run.ts';
import { deadLetterSender, messageSender } from './sending.ts';
import { deadLetterEntries, messageEntries } from './sources.ts';

/** What replays need of the database. */
export interface ReplayTables {
  readonly table: ReplayTable;
  /** Where messages and dead letters are. */
  readonly source: ItemSource;
}

export interface ReplaysOptions extends ReplayTables {
  readonly writeShards: number;
  readonly pollSeconds: number;
  readonly routes: readonly ReplayRoute[];
  /** Where it is kept what trouble messages had; absent where nowhere. */
  readonly traceStore?: TraceStore | undefined;
  /** Absent where dead letters are not kept in a table. */
  readonly replayDeadLetter: ReplayDeadLetter | undefined;
  /** Absent where there is one bridge. */
  readonly acquire: Acquire | undefined;
  /** Whether there is anything to look for; by default nobody tells. */
  readonly changes?: Changes | undefined;
  /** Name of the lease. */
  readonly leaseName: string;
  readonly log: Logger;
}

/** Why a replay waits that changes over to another bridge. */
const stopping = 'the bridge that ran it stops';

/** The time in which this bridge runs replays, as in {@link RunOptions}. */
type Shift = Pick<RunOptions<never>, 'signal' | 'mayHandOver'>;

export interface Replays {
  /** Looks at once whether a replay was asked for, or cancelled. */
  wake(): void;
  /** Stops where it is, until `signal` aborts; the next bridge goes on there. */
  drain(signal: AbortSignal): Promise<void>;
}

export function startReplays(options: ReplaysOptions): Replays {
  const { table, source, writeShards, pollSeconds, routes, acquire, leaseName, log } = options;
  const { changes = unmarkedChanges } = options;
  const stop = new AbortController();
  const bell = new Bell();
  /** For the replay that runs; the bell is for the wait between two. */
  let news = new AbortController();
  const messages = messageEntries(createStoredMessages({ ...source, writeShards }));
  const letters = deadLetterEntries(source);

  async function work(replay: Replay, { signal, mayHandOver }: Shift): Promise<void> {
    const common = { save: table.save, news: () => news.signal, signal, mayHandOver };
    const { messagesPerSecond } = replay.request;
    const pace = new Pace(messagesPerSecond);
    /** Waits for the turn of some messages; false where this bridge must not send them. */
    async function turn(count: number): Promise<boolean> {
      const nowMs = performance.now();
      const waitMs = pace.waitMs(nowMs);
      pace.count(count, nowMs);
      await pause(waitMs, signal);
      return !signal.aborted;
    }

    if (replay.request.source === 'dead-letters') {
      const { replayDeadLetter } = options;
      if (replayDeadLetter === undefined)
        return fail(replay, 'the bridge keeps no dead letters in a table');
      const send = deadLetterSender(async (id) =>
        (await turn(1))
          ? replayDeadLetter(id)
          : { problem: problem('handler-unavailable', stopping), suspicious: false },
      );
      // One by one: each goes to the route that it came by.
      return runReplay(replay, {
        work: { entries: letters, send, maxBatch: 1, maxBatchBytes: 1 },
        ...common,
      });
    }
    const target = routes.find(({ config }) => config.name === replay.request.route);
    if (target === undefined) return fail(replay, 'the bridge does not have this route');
    // What is sent again, and the halves of a batch, take their turns too.
    const traces = new Traces(target.config.name, options.traceStore, replay.id);
    const refused = (message: Message) => traces.refused(message);
    const send = messageSender({
      async post(messages) {
        if (!(await turn(messages.length)))
          return { kind: 'hold', reason: stopping, overloaded: false, broken: false };
        const at = new Date().toISOString();
        const startedMs = performance.now();
        const verdict = await target.send(
          messages.map((message) => ({ ...message, replayId: replay.id })),
        );
        const latencyMs = performance.now() - startedMs;
        traces.tried(messages, { at, latencyMs, status: undefined, verdict });
        return verdict;
      },
      othersDelivered: () => target.deliveredMessages(),
      refused,
    });
    const { maxBatch, maxBatchBytes } = target.config;
    return runReplay(replay, {
      work: {
        entries: messages,
        send,
        refused,
        maxBatch: paceBatch(messagesPerSecond, maxBatch),
        maxBatchBytes,
      },
      ...common,
    });
  }

  async function fail(replay: Replay, reason: string): Promise<void> {
    const endedAt = new Date().toISOString();
    await table.save({
      ...replay,
      status: 'failed',
      progress: { ...replay.progress, reason, endedAt },
    });
  }

  async function workOff(shift: Shift): Promise<void> {
    const { signal } = shift;
    let mayBeThere = true;
    while (!signal.aborted) {
      // From before the look: a ring while it lasts must not go to the wait before, which is over.
      let hasRung = false;
      const rung = bell.rung().then(() => {
        hasRung = true;
      });
      try {
        const replay: Replay | undefined =
          mayBeThere || changes.areRecent ? await table.next() : undefined;
        mayBeThere = replay !== undefined;
        if (replay !== undefined) {
          log.info({ id: replay.id, ...replay.request }, 'replay');
          await work(replay, shift);
          continue;
        }
      } catch (error) {
        mayBeThere = true;
        log.warn({ reason: String(error) }, 'a replay cannot go on: trying again');
      }
      await waitUnless(pollSeconds * 1000, rung, signal);
      mayBeThere ||= hasRung;
    }
  }

  const leased = { acquire, name: leaseName, log, signal: stop.signal };
  const running = whileLeased(leased, async (lease) => {
    const ending = new AbortController();
    const mayHandOver = () => lease?.lost.aborted !== true;
    const worked = workOff({ signal: ending.signal, mayHandOver });
    await untilAborted(...endsOf(lease, stop.signal));
    ending.abort();
    await worked;
  });

  function wake(): void {
    bell.ring();
    news.abort();
    news = new AbortController();
  }
  const unsubscribe = changes.subscribe(wake);

  return {
    wake,
    async drain(signal) {
      unsubscribe();
      stop.abort();
      await Promise.race([running, untilAborted(signal)]);
    },
  };
}
