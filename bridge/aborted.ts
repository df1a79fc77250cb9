// The end of a wait that somebody calls off.
import { setTimeout as delay } from 'node:timers/promises';

/** Resolves when one of the signals has aborted. */
export function untilAborted(...signals: readonly AbortSignal[]): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of signals) {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
    }
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
