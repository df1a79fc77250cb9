// The replays of a bridge: worked off one after the other by the one bridge that has their lease.
import type { Logger } from 'pino';
import type { Message } from '../../functions/contract/message.ts';
import type { ItemSource } from '../../functions/contract/partition.ts';
import type { Replay } from '../../functions/contract/replay.ts';
import { createStoredMessages } from '../../functions/contract/stored-messages.ts';
import { untilAborted, waitUnless } from '../aborted.ts';
import { Bell } from '../bell.ts';
import type { Replay as ReplayLetter, ReplayRoute } from '../quarantine/replay.ts';
import type { Acquire } from '../session/member.ts';
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

/** The time that this bridge works off replays, as in {@link RunOptions}. */
type Shift = Pick<RunOptions<never>, 'signal' | 'mayHandOver'>;

export interface Replays {
  /** Looks at once whether a replay was asked for, or cancelled. */
  wake(): void;
  /** Stops where it is; the next bridge goes on there. */
  drain(): Promise<void>;
}

export function startReplays(options: ReplaysOptions): Replays {
  const { table, source, writeShards, pollSeconds, routes, acquire, leaseName, log } = options;
  const stop = new AbortController();
  const bell = new Bell();
  const messages = messageEntries(createStoredMessages({ ...source, writeShards }));
  const letters = letterEntries(source);
  const sendLetters = options.replayLetter && letterSender(options.replayLetter);

  async function work(replay: Replay, { signal, mayHandOver }: Shift): Promise<void> {
    const common = { save: table.save, changed: () => bell.rung(), signal, mayHandOver };
    if (replay.request.source === 'dead-letters') {
      if (sendLetters === undefined) return fail(replay, 'the bridge has no quarantine in a table');
      // One by one: each goes to the route that it came by.
      const one = { entries: letters, send: sendLetters, maxBatch: 1, maxBatchBytes: 1 };
      return runReplay(replay, { work: one, ...common });
    }
    const target = routes.find(({ config }) => config.name === replay.request.route);
    if (target === undefined) return fail(replay, 'the bridge does not have this route');
    const { maxBatch, maxBatchBytes } = target.config;
    const marked = (sent: readonly Message[]) =>
      target.send(sent.map((message) => ({ ...message, replayId: replay.id })));
    const batched = { entries: messages, send: messageSender(marked), maxBatch, maxBatchBytes };
    return runReplay(replay, { work: batched, ...common });
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
      await waitUnless(pollSeconds * 1000, bell.rung(), signal);
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
    wake: () => bell.ring(),
    async drain() {
      stop.abort();
      await running;
    },
  };
}
