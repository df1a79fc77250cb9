// The end of a wait that somebody calls off.
import { pause } from '../../functions/contract/pause.ts';

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

/** Resolves when `changed` does, or `signal` aborts. */
export async function changedOrAborted(changed: Promise<void>, signal: AbortSignal): Promise<void> {
  const over = new AbortController();
  await Promise.race([changed, untilAborted(over.signal, signal)]);
  over.abort();
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
  await pause(waitMs, over.signal);
  signal.removeEventListener('abort', stop);
}
