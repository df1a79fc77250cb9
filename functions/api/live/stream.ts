// Answers that are server-sent events: a stream where the server can hold one, and what there is by now where it cannot.
import { pause } from '../../contract/pause.ts';
import { heartbeat } from './events.ts';

/** How often a stream looks for what is new. */
const lookEveryMs = 250;
const heartbeatMs = 15_000;
/** A stream that nobody has begun to read in this time is given up, such as that of a HEAD. */
const unreadMs = 10_000;
/** Characters of an answer that ends at once. */
const maxAnswer = 1024 * 1024;

export function eventStream(body: string | ReadableStream<Uint8Array>): Response {
  return new Response(body, {
    headers: {
      'content-type': 'text/event-stream',
      // Proxies pass on what they get.
      'x-accel-buffering': 'no',
    },
  });
}

/** What there is by now: up to the first text that is empty. */
export async function allNow(texts: AsyncGenerator<string, never>): Promise<string> {
  let all = '';
  while (all.length < maxAnswer) {
    const { value } = await texts.next();
    if (value === '') break;
    all += value;
  }
  return all;
}

export interface StreamOptions {
  /** Called now and then while the stream is open. */
  readonly renew?: () => Promise<void>;
  readonly isStillAllowed: () => Promise<boolean>;
  readonly leave: () => void;
  readonly signal: AbortSignal | undefined;
  readonly onError: ((error: Error) => void) | undefined;
}

/** Asks for the next text only when the one before has been taken: a slow reader keeps one. */
export function streamOf(
  texts: AsyncGenerator<string, never>,
  { renew, isStillAllowed, leave, signal, onError }: StreamOptions,
): ReadableStream<Uint8Array> {
  const ended = new AbortController();
  const encoder = new TextEncoder();
  let checkedMs = performance.now();
  /** Nothing can be given to a stream that its reader has ended. */
  let isCancelled = false;
  const unread = setTimeout(() => end(), unreadMs).unref();
  const end = () => {
    clearTimeout(unread);
    signal?.removeEventListener('abort', end);
    ended.abort();
    leave();
  };
  signal?.addEventListener('abort', end);
  if (signal?.aborted === true) end();

  /** The next text that is not empty; undefined where the stream has to end. */
  async function next(): Promise<string | undefined> {
    while (!ended.signal.aborted) {
      const isDue = performance.now() - checkedMs >= heartbeatMs;
      if (isDue) {
        checkedMs = performance.now();
        if (!(await isStillAllowed())) return undefined;
        await renew?.();
      }
      const { value } = await texts.next();
      if (value !== '') return value;
      if (isDue) return heartbeat;
      await pause(lookEveryMs, ended.signal);
    }
    return undefined;
  }

  return new ReadableStream(
    {
      async pull(controller) {
        clearTimeout(unread);
        try {
          const text = await next();
          if (isCancelled) return;
          if (text !== undefined) return controller.enqueue(encoder.encode(text));
        } catch (error) {
          // The reader comes back, and goes on where it was.
          if (!ended.signal.aborted) onError?.(error as Error);
          if (isCancelled) return;
        }
        end();
        controller.close();
      },
      cancel() {
        isCancelled = true;
        end();
      },
    },
    { highWaterMark: 0 },
  );
}
