// What only one bridge of several may do: it is done while its lease is held, and by no two at a time.
import type { Logger } from 'pino';
import type { Lease } from './lease.ts';

/** Waits for the lease of this name; undefined when `signal` aborts first. */
export type Acquire = (
  name: string,
  log: Logger,
  signal: AbortSignal,
) => Promise<Lease | undefined>;

export interface LeasedOptions {
  /** Absent where there is one bridge: then nothing is waited for. */
  readonly acquire: Acquire | undefined;
  /** Name of the lease. */
  readonly name: string;
  readonly log: Logger;
  /** Ends it: no lease is taken any more. */
  readonly signal: AbortSignal;
}

/**
 * Runs `work` whenever the lease is held, one run after the other, and releases it behind each. `work` has to end soon
 * after `lease.lost` or `signal` aborts. Resolves when `signal` has aborted and the last run is over.
 */
export async function whileLeased(
  { acquire, name, log, signal }: LeasedOptions,
  work: (lease: Lease | undefined) => Promise<void>,
): Promise<void> {
  while (!signal.aborted) {
    const lease = await acquire?.(name, log, signal);
    if (acquire !== undefined && lease === undefined) continue;
    try {
      await work(lease);
    } finally {
      await lease?.release();
    }
  }
}

/** What ends a run: that the lease is lost, or that `signal` aborts. */
export function endsOf(lease: Lease | undefined, signal: AbortSignal): AbortSignal[] {
  return lease === undefined ? [signal] : [lease.lost, signal];
}
