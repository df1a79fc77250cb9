// The thread in which expressions are evaluated: one job at a time, ended where a message takes too long or too much.
import { Worker } from 'node:worker_threads';
import { expressionLimits } from './limits.ts';

/** What a route, or a preview, evaluates. */
export interface Expressions {
  /** Only messages for which it is `true` go on. */
  readonly where?: string | undefined;
  /** Its value takes the place of the payload. */
  readonly transform?: string | undefined;
}

/** Messages for the thread. */
export interface Job {
  readonly inputs: readonly object[];
  /** The payloads, one behind the other; given away with the job. */
  readonly payloads: Uint8Array;
  /** Where each of them ends. */
  readonly ends: readonly number[];
  readonly maxResultBytes: number;
}

/** What became of one message in the thread. */
export type ThreadOutcome =
  | { readonly kind: 'dropped' }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'passed'; readonly body?: Uint8Array; readonly isText?: boolean };

export type JobEnd =
  /** Of the first messages, of one at least. */
  | { readonly kind: 'done'; readonly outcomes: readonly ThreadOutcome[] }
  /** The thread is gone; it was at the message with this index. */
  | { readonly kind: 'ended'; readonly index: number; readonly reason: string };

type Said =
  | { readonly kind: 'ready' }
  | { readonly kind: 'refused'; readonly reason: string }
  | Extract<JobEnd, { kind: 'done' }>;

export interface Thread {
  /** Rejects where the thread cannot be started, or does not take the expressions. */
  run(job: Job): Promise<JobEnd>;
  close(): Promise<void>;
}

/** Time for a thread to start, on a machine that has much else to do. */
const startMs = 30_000;

/** A thread that starts with the first job, and again with the next one after it was ended. */
export function expressionThread(expressions: Expressions): Thread {
  /** Index of the message that is evaluated, and a count of evaluations that were begun. */
  const progress = new Int32Array(new SharedArrayBuffer(8));
  let worker: Worker | undefined;

  async function started(): Promise<Worker> {
    if (worker !== undefined) return worker;
    const { heapMiB } = expressionLimits;
    const starting = new Worker(new URL('./expression-worker.mjs', import.meta.url), {
      workerData: { expressions: definedOf(expressions), limits: expressionLimits, progress },
      resourceLimits: { maxOldGenerationSizeMb: heapMiB, maxYoungGenerationSizeMb: heapMiB / 4 },
      // Nothing of the process: neither its secrets nor the loaders that it was started with.
      env: {},
      execArgv: [],
    });
    starting.unref();
    starting.on('error', () => {});
    starting.once('exit', () => {
      if (worker === starting) worker = undefined;
    });
    const said = await answerOf(starting, () => 'stop', startMs);
    if (said.kind !== 'ready') {
      await starting.terminate();
      throw new Error(`no thread for expressions: ${'reason' in said ? said.reason : said.kind}`);
    }
    worker = starting;
    return starting;
  }

  return {
    async run(job) {
      const thread = await started();
      Atomics.store(progress, 0, 0);
      let seen = Atomics.load(progress, 1);
      const answer = answerOf(
        thread,
        () => {
          const now = Atomics.load(progress, 1);
          if (now === seen) return 'stop';
          seen = now;
          return 'wait';
        },
        expressionLimits.silentMs,
      );
      thread.postMessage(job, [job.payloads.buffer as ArrayBuffer]);
      const said = await answer;
      if (said.kind === 'done') return said;
      worker = undefined;
      await thread.terminate();
      const reason = said.kind === 'ended' ? said.reason : said.kind;
      return { kind: 'ended', index: Atomics.load(progress, 0), reason };
    },
    async close() {
      await worker?.terminate();
    },
  };
}

/** What the thread says next, or why it says nothing; `onSilence` is asked each `silentMs` whether to wait on. */
function answerOf(
  thread: Worker,
  onSilence: () => 'wait' | 'stop',
  silentMs: number,
): Promise<Said | { readonly kind: 'ended'; readonly reason: string }> {
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      // What it said while this thread was busy is heard first.
      if (onSilence() === 'stop') setImmediate(end, { kind: 'ended', reason: 'it takes too long' });
    }, silentMs);
    const onError = (error: Error & { code?: string }) =>
      end({
        kind: 'ended',
        reason:
          error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'it takes too much memory' : error.message,
      });
    const onExit = () => end({ kind: 'ended', reason: 'its thread ended' });
    thread.on('message', end);
    thread.on('error', onError);
    thread.on('exit', onExit);

    function end(said: Said | { readonly kind: 'ended'; readonly reason: string }): void {
      clearInterval(timer);
      thread.off('message', end);
      thread.off('error', onError);
      thread.off('exit', onExit);
      resolve(said);
    }
  });
}

function definedOf({ where, transform }: Expressions): Expressions {
  return { ...(where !== undefined && { where }), ...(transform !== undefined && { transform }) };
}
