// How long commands wait before the table is asked again, after it did not answer.
import { fullJitterMs } from '../../functions/contract/backoff.ts';
import { pause } from '../../functions/contract/pause.ts';

const baseMs = 100;
const capMs = 10_000;

/** Waits before another try; `failures` counts from 0 for the first one. Ends at once when `signal` aborts. */
export function pauseBeforeRetry(failures: number, signal: AbortSignal): Promise<void> {
  return pause(fullJitterMs(failures, baseMs, capMs), signal);
}
