// The end of a wait that somebody calls off.
import { setTimeout as delay } from 'node:timers/promises';

/** Resolves when one of the signals has aborted. */
export function untilAborted(...signals: readonly AbortSignal[]): Promise<void> {
  if (signals.some(({ aborted }) => aborted)) return Promise.resolve();
  return new Promise((resolve) => {
    const end = () => {
      // One of them may live as long as the process, and be waited for with many others.
      for (const signal of signals) signal.removeEventListener('abort', end);
      resolve();
    };
    for (const signal of signals) signal.addEventListener('abort', end);
  });
}

/** Waits until the time is over, `changed` resolves, or `signal` aborts. */
export async function waitUnless(
  waitMs: number,
  changed: Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const over = new AbortController();
  const stop = () => over.abort();
  signal.addEventListener('abort', stop, { once: true });
  void changed.then(stop);
  if (signal.aborted) stop();
  await delay(waitMs, undefined, { signal: over.signal }).catch(() => {});
  signal.removeEventListener('abort', stop);
}
