// A pause that can be ended early.

export interface PauseOptions {
  /** False where the process may end before the pause does. */
  readonly ref?: boolean;
}

/**
 * Resolves after `ms`, or when `signal` aborts. The timer of node:timers/promises rejects then: its errors, with their
 * stacks, take 10 µs of CPU, which counts where almost every pause ends early. `abort()` without a reason makes another.
 */
export function pause(
  ms: number,
  signal?: AbortSignal,
  { ref = true }: PauseOptions = {},
): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    if (!ref) timer.unref();
    signal?.addEventListener('abort', end);
  });
}
