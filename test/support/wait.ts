// Waiting in tests: for a condition, never for a time.
import { setTimeout as delay } from 'node:timers/promises';

/**
 * Polls until `probe` gives something other than undefined or false. `timeoutMs` only ends what hangs: it is so long that a
 * busy machine does not reach it.
 */
export async function until<T>(
  probe: () => T | Promise<T>,
  { timeoutMs = 60_000, what = probe.toString() } = {},
): Promise<NonNullable<T>> {
  const deadlineMs = Date.now() + timeoutMs;
  for (;;) {
    const value = await probe();
    if (value !== undefined && value !== null && value !== false) return value;
    if (Date.now() > deadlineMs) throw new Error(`not in ${timeoutMs} ms: ${what}`);
    await delay(10);
  }
}
