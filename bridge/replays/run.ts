// One replay from its first look to its end: counts, then sends, and writes down how far it is.
import { pause } from '../../functions/contract/pause.ts';
import {
  maxRefusals,
  type Refusal,
  type Replay,
  type ReplayPosition,
  type ReplayProgress,
} from '../../functions/table/replay.ts';
import { Hold } from '../forwarding/hold.ts';
import { maxTries, refusalOf, type Send } from './sending.ts';
import type { Entries, Letter } from './sources.ts';

export interface ReplayWork<T extends Letter> {
  readonly entries: Entries<T>;
  readonly send: Send<T>;
  /** Told of each entry that is given up here. */
  refused?(entry: T): void;
  /** Maximum entries, and bytes, in one request. */
  readonly maxBatch: number;
  readonly maxBatchBytes: number;
}

export interface RunOptions<T extends Letter> {
  readonly work: ReplayWork<T>;
  /** Writes the replay down; false where it has been cancelled. */
  readonly save: (replay: Replay) => Promise<boolean>;
  /** Aborts when there is news that may concern the replay, such as that it was cancelled. */
  readonly news: () => AbortSignal;
  /** Aborts when this bridge must not go on: another one does. */
  readonly signal: AbortSignal;
  /** Whether this bridge may still write down how far it came when `signal` aborts: nobody else has begun. */
  readonly mayHandOver: () => boolean;
}

/** How often progress is written down: a successor sends again what was sent since. */
const saveEveryMs = 1000;
/** How long a handler is left alone that takes nothing. */
const retry = { baseMs: 200, capMs: 30_000, maxRetryAfterMs: 300_000 };

/** What became of some entries. */
interface Outcome {
  readonly delivered: number;
  readonly refusals: readonly Refusal[];
}

/** Runs a replay until it is done, cancelled, or `signal` aborts. Rejects where the database is lost. */
export async function runReplay<T extends Letter>(
  replay: Replay,
  { work, save, news, signal, mayHandOver }: RunOptions<T>,
): Promise<void> {
  const { request } = replay;
  let { status } = replay;
  let progress: ReplayProgress = {
    ...replay.progress,
    startedAt: replay.progress.startedAt ?? new Date().toISOString(),
  };
  let savedMs = Number.NEGATIVE_INFINITY;
  let heard = news();

  /** False where the replay must not go on. */
  async function note(next: Partial<ReplayProgress>, isDue = false): Promise<boolean> {
    progress = { ...progress, ...next };
    if (signal.aborted) {
      if (mayHandOver()) await save({ ...replay, status, progress });
      return false;
    }
    const isFresh = performance.now() - savedMs < saveEveryMs;
    if (!isDue && isFresh && !heard.aborted) return true;
    heard = news();
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
    const { maxBatch, maxBatchBytes } = work;
    const entries = work.entries(request, progress.position);
    for await (const { batch, unreadable, position } of batches(entries, maxBatch, maxBatchBytes)) {
      const sent = await sendAll(batch);
      if (sent === undefined) return false;
      const refusals = [...unreadable, ...sent.refusals];
      // Counts and position change together: whatever a successor sends again, it counts once.
      const settled: Partial<ReplayProgress> = {
        delivered: progress.delivered + sent.delivered,
        refused: progress.refused + refusals.length,
        refusals: [...progress.refusals, ...refusals].slice(0, maxRefusals),
        waiting: undefined,
        position,
      };
      if (!(await note(settled))) return false;
    }
    return true;
  }

  /** Undefined where the replay must not go on. */
  async function sendAll(batch: readonly T[]): Promise<Outcome | undefined> {
    let left = batch;
    let tries = 0;
    let delivered = 0;
    const refusals: Refusal[] = [];
    const hold = new Hold(retry);
    while (left.length > 0) {
      const sent = await work.send(left);
      const { again, waiting, outage, retryAfterMs } = sent;
      delivered += sent.delivered;
      refusals.push(...sent.refusals);
      tries = outage === true ? 0 : tries + 1;
      if (again.length === 0) break;
      if (tries === maxTries) {
        for (const entry of again) {
          work.refused?.(entry);
          refusals.push(refusalOf(entry, waiting ?? ''));
        }
        break;
      }
      left = again;
      if (!(await note({ waiting }, true))) return undefined;
      hold.begin(waiting ?? '', retryAfterMs);
      const ends = AbortSignal.any([signal, heard]);
      // A timer may fire a little early, and the next failure would be taken for the same one.
      while (hold.waitMs > 0 && !ends.aborted) await pause(hold.waitMs, ends);
      // Nothing more is sent once it is cancelled.
      if (heard.aborted && !(await note({}))) return undefined;
    }
    return { delivered, refusals };
  }

  const isFresh = progress.position === undefined;
  if (isFresh && !(await count())) return;
  if (!request.dryRun && !(await send())) return;
  status = 'done';
  await note({ endedAt: new Date().toISOString() }, true);
}

interface Batch<T> {
  readonly batch: readonly T[];
  /** Met on the way: what can be sent to nobody. */
  readonly unreadable: readonly Refusal[];
  /** Of the last entry. */
  readonly position: ReplayPosition;
}

async function* batches<T extends Letter>(
  entries: ReturnType<Entries<T>>,
  maxBatch: number,
  maxBatchBytes: number,
): AsyncGenerator<Batch<T>, void> {
  let batch: T[] = [];
  let unreadable: Refusal[] = [];
  let bytes = 0;
  let position: ReplayPosition = {};
  for await (const entry of entries) {
    // Base64 adds a third, and the envelope its attributes.
    const size = Math.ceil(entry.bytes * 1.4) + 500;
    const met = batch.length + unreadable.length;
    if (met > 0 && (met === maxBatch || bytes + size > maxBatchBytes)) {
      yield { batch, unreadable, position };
      batch = [];
      unreadable = [];
      bytes = 0;
    }
    const read = await entry.read();
    if (read.kind === 'read') {
      batch.push(read.value);
      bytes += size;
    } else unreadable.push(refusalOf(read.letter, read.reason));
    position = entry.position;
  }
  if (batch.length + unreadable.length > 0) yield { batch, unreadable, position };
}
