// The replays of a bridge: worked off one after the other by the one bridge that has their lease.
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { ItemSource } from '../../functions/contract/partition.ts';
import { problem } from '../../functions/contract/problem.ts';
import type { Replay } from '../../functions/contract/replay.ts';
import { createStoredMessages } from '../../functions/contract/stored-messages.ts';
import { untilAborted, waitUnless } from '../aborted.ts';
import { Bell } from '../bell.ts';
import type { Replay as ReplayLetter, ReplayRoute } from '../quarantine/replay.ts';
import type { Acquire } from '../session/member.ts';
import { Pace, paceBatch } from './pace.ts';
import type { ReplayTable } from './replay-table.ts';
import { type RunOptions, runReplay } from './run.ts';
import { letterSender, messageSender } from './sending.ts';
import { letterEntries, messageEntries } from './sources.ts';

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
  /** Absent where the quarantine is not in a table. */
  readonly replayLetter: ReplayLetter | undefined;
  /** Absent where there is one bridge. */
  readonly acquire: Acquire | undefined;
  /** Name of the lease. */
  readonly leaseName: string;
  readonly log: Logger;
}

/** Why a replay waits that changes over to another bridge. */
const stopping = 'the bridge that worked it off stops';

/** The time that this bridge works off replays, as in {@link RunOptions}. */
type Shift = Pick<RunOptions<never>, 'signal' | 'mayHandOver'>;

export interface Replays {
  /** Looks at once whether a replay was asked for, or cancelled. */
  wake(): void;
  /** Stops where it is, until `signal` aborts; the next bridge goes on there. */
  drain(signal: AbortSignal): Promise<void>;
}

export function startReplays(options: ReplaysOptions): Replays {
  const { table, source, writeShards, pollSeconds, routes, acquire, leaseName, log } = options;
  const stop = new AbortController();
  const bell = new Bell();
  /** For the replay that runs; the bell is for the wait between two. */
  let news = new AbortController();
  const messages = messageEntries(createStoredMessages({ ...source, writeShards }));
  const letters = letterEntries(source);

  async function work(replay: Replay, { signal, mayHandOver }: Shift): Promise<void> {
    const common = { save: table.save, news: () => news.signal, signal, mayHandOver };
    const { messagesPerSecond } = replay.request;
    const pace = new Pace(messagesPerSecond);
    /** Waits for the turn of some messages; false where this bridge must not send them. */
    async function turn(count: number): Promise<boolean> {
      const waitMs = pace.waitMs(count, performance.now());
      await delay(waitMs, undefined, { signal }).catch(() => {});
      return !signal.aborted;
    }

    if (replay.request.source === 'dead-letters') {
      const { replayLetter } = options;
      if (replayLetter === undefined)
        return fail(replay, 'the bridge has no quarantine in a table');
      const send = letterSender(async (id) =>
        (await turn(1))
          ? replayLetter(id)
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
    const send = messageSender({
      post: async (messages) =>
        (await turn(messages.length))
          ? target.send(messages.map((message) => ({ ...message, replayId: replay.id })))
          : { kind: 'hold', reason: stopping, overloaded: false, broken: false },
      othersDelivered: () => target.deliveredMessages(),
    });
    const { maxBatch, maxBatchBytes } = target.config;
    return runReplay(replay, {
      work: {
        entries: messages,
        send,
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
    while (!signal.aborted) {
      // From before the look: a ring while it lasts must not go to the wait before, which is over.
      const rung = bell.rung();
      try {
        const replay = await table.next();
        if (replay !== undefined) {
          log.info({ id: replay.id, ...replay.request }, 'replay');
          await work(replay, shift);
          continue;
        }
      } catch (error) {
        log.warn({ reason: String(error) }, 'a replay cannot go on: trying again');
      }
      await waitUnless(pollSeconds * 1000, rung, signal);
    }
  }

  async function run(acquireNext: Acquire): Promise<void> {
    while (!stop.signal.aborted) {
      const lease = await acquireNext(leaseName, log, stop.signal);
      if (lease === undefined) continue;
      const ending = new AbortController();
      const mayHandOver = () => !lease.lost.aborted;
      const worked = workOff({ signal: ending.signal, mayHandOver });
      await untilAborted(lease.lost, stop.signal);
      ending.abort();
      await worked;
      await lease.release();
    }
  }

  const running =
    acquire === undefined
      ? workOff({ signal: stop.signal, mayHandOver: () => true })
      : run(acquire);

  return {
    wake() {
      bell.ring();
      news.abort();
      news = new AbortController();
    },
    async drain(signal) {
      stop.abort();
      await Promise.race([running, untilAborted(signal)]);
    },
  };
}
