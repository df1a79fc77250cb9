// When the table of the leases is looked at: one look at a time for all who ask, and again and again while anybody waits.
import type { StoredLease } from '../../functions/table/bridge-item.ts';
import type { LeaseClock } from './lease-store.ts';

/** What is known of leases and their holders. */
export interface Look {
  readonly leases: ReadonlyMap<string, StoredLease>;
  /** Bridges that have not been taken for dead. */
  readonly living: ReadonlySet<string>;
  /** Of the shared ones that are free, those that this bridge is to take. */
  readonly ours: ReadonlySet<string>;
}

export interface LeaseLooksOptions {
  /** Undefined where the table does not answer. */
  readonly read: () => Promise<Look | undefined>;
  /** Time between two looks, about. */
  readonly pollMs: () => number;
  readonly clock: LeaseClock;
}

export class LeaseLooks {
  readonly #options: LeaseLooksOptions;
  #look: Promise<Look | undefined> | undefined;
  /** Those who wait for the next look. */
  readonly #waiting = new Set<(look: Look | undefined) => void>();
  #isPolling = false;

  constructor(options: LeaseLooksOptions) {
    this.#options = options;
  }

  /** Whether anybody waits, and looks are taken again and again. */
  get isPolling(): boolean {
    return this.#isPolling;
  }

  /** Undefined where the table does not answer. */
  now(): Promise<Look | undefined> {
    this.#look ??= this.#options.read().finally(() => {
      this.#look = undefined;
    });
    return this.#look;
  }

  /** Undefined where the table does not answer, or `signal` aborts. */
  next(signal: AbortSignal): Promise<Look | undefined> {
    return new Promise((resolve) => {
      const end = (look: Look | undefined) => {
        this.#waiting.delete(end);
        signal.removeEventListener('abort', stop);
        resolve(look);
      };
      const stop = () => end(undefined);
      if (signal.aborted) return resolve(undefined);
      signal.addEventListener('abort', stop);
      this.#waiting.add(end);
      if (!this.#isPolling) void this.#poll();
    });
  }

  async #poll(): Promise<void> {
    const { pollMs, clock } = this.#options;
    this.#isPolling = true;
    do {
      await clock.delay(pollMs() * (0.5 + Math.random() / 2));
      const waiting = [...this.#waiting];
      const look = await this.now();
      for (const end of waiting) end(look);
      // Those who go on waiting have asked again by the time that this continues.
      await clock.delay(0);
    } while (this.#waiting.size > 0);
    this.#isPolling = false;
  }
}
