// One replay from its first look to its end: counts, then sends at its pace, and writes down how far it is.
import { setTimeout as delay } from 'node:timers/promises';
import { fullJitterMs } from '../../functions/contract/backoff.ts';
import {
  maxRefusals,
  type Replay,
  type ReplayPosition,
  type ReplayProgress,
} from '../../functions/contract/replay.ts';
import { waitUnless } from '../aborted.ts';
import { Pace, paceBatch } from './pace.ts';
import { refusalOf, type Send } from './sending.ts';
import type { Entries, Letter } from './sources.ts';

export interface ReplayWork<T extends Letter> {
  readonly entries: Entries<T>;
  readonly send: Send<T>;
  /** Most entries, and bytes, in one request. */
  readonly maxBatch: number;
  readonly maxBatchBytes: number;
}

export interface RunOptions<T extends Letter> {
  readonly work: ReplayWork<T>;
  /** Writes the replay down; false where it has been cancelled. */
  readonly save: (replay: Replay) => Promise<boolean>;
  /** Resolves when something may have changed, so that nobody need wait on. */
  readonly changed: () => Promise<void>;
  /** Aborts when this bridge must not go on: another one does. */
  readonly signal: AbortSignal;
  /** Whether this bridge may still write down how far it came when `signal` aborts: nobody else has begun. */
  readonly mayHandOver: () => boolean;
}

/** How often progress is written down: a successor sends again what was sent since. */
const saveEveryMs = 1000;
const retryBaseMs = 200;
const retryCapMs = 30_000;
/** How often a message is given to a handler that takes others; after that it counts as refused. */
const maxTries = 10;

/** Runs a replay until it is done, cancelled, or `signal` aborts. Rejects where the database is lost. */
export async function runReplay<T extends Letter>(
  replay: Replay,
  { work, save, changed, signal, mayHandOver }: RunOptions<T>,
): Promise<void> {
  const { request } = replay;
  let { status } = replay;
  let progress: ReplayProgress = {
    ...replay.progress,
    startedAt: replay.progress.startedAt ?? new Date().toISOString(),
  };
  let savedMs = Number.NEGATIVE_INFINITY;

  /** False where the replay must not go on. */
  async function note(next: Partial<ReplayProgress>, isDue = false): Promise<boolean> {
    progress = { ...progress, ...next };
    if (signal.aborted) {
      if (mayHandOver()) await save({ ...replay, status, progress });
      return false;
    }
    if (!isDue && performance.now() - savedMs < saveEveryMs) return true;
    savedMs = performance.now();
    return save({ ...replay, status, progress });
  }

  async function count(): Promise<boolean> {
    status = 'counting';
    let total = 0;
    for await (const _ of work.entries(request, undefined)) {
      total++;
      if (!(await note({ total }))) return false;
    }
    return note({ total });
  }

  async function send(): Promise<boolean> {
    status = 'sending';
    const pace = new Pace(request.messagesPerSecond);
    const maxBatch = paceBatch(request.messagesPerSecond, work.maxBatch);
    const entries = work.entries(request, progress.position);
    for await (const { batch, position } of batches(entries, maxBatch, work.maxBatchBytes)) {
      await delay(pace.waitMs(batch.length, performance.now()), undefined, { signal }).catch(
        () => {},
      );
      if (signal.aborted) return note({});
      if (!(await sendAll(batch)) || !(await note({ position }))) return false;
    }
    return true;
  }

  async function sendAll(batch: readonly T[]): Promise<boolean> {
    let left = batch;
    let tries = 0;
    for (let attempt = 0; left.length > 0; attempt++) {
      const { delivered, refusals, again, waiting, outage, retryAfterMs } = await work.send(left);
      tries = outage === true ? 0 : tries + 1;
      left = tries < maxTries ? again : [];
      const given = left === again ? [] : again.map((entry) => refusalOf(entry, waiting ?? ''));
      progress = {
        ...progress,
        delivered: progress.delivered + delivered,
        refused: progress.refused + refusals.length + given.length,
        refusals: [...progress.refusals, ...refusals, ...given].slice(0, maxRefusals),
        waiting: left.length === 0 ? undefined : waiting,
      };
      if (left.length === 0) return true;
      if (!(await note({}, true))) return false;
      const waitMs = retryAfterMs ?? fullJitterMs(attempt, retryBaseMs, retryCapMs);
      await waitUnless(waitMs, changed(), signal);
    }
    return true;
  }

  const isFresh = progress.position === undefined;
  if (isFresh && !(await count())) return;
  if (!request.dryRun && !(await send())) return;
  status = 'done';
  await note({ endedAt: new Date().toISOString() }, true);
}

interface Batch<T> {
  readonly batch: readonly T[];
  /** Of its last entry. */
  readonly position: ReplayPosition;
}

async function* batches<T>(
  entries: ReturnType<Entries<T>>,
  maxBatch: number,
  maxBatchBytes: number,
): AsyncGenerator<Batch<T>, void> {
  let batch: T[] = [];
  let bytes = 0;
  let position: ReplayPosition = {};
  for await (const entry of entries) {
    // Base64 adds a third, and the envelope its attributes.
    const size = Math.ceil(entry.bytes * 1.4) + 500;
    if (batch.length > 0 && (batch.length === maxBatch || bytes + size > maxBatchBytes)) {
      yield { batch, position };
      batch = [];
      bytes = 0;
    }
    batch.push(await entry.read());
    bytes += size;
    position = entry.position;
  }
  if (batch.length > 0) yield { batch, position };
}
