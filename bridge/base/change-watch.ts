// Whether something may have been written that this bridge looks for. One look for all who ask: at the change marker.
import { pause } from '../../functions/contract/pause.ts';

export interface Changes {
  /** Whether there may be something that has not been seen yet: then it is to be looked for, again and again. */
  readonly areRecent: boolean;
  /** Calls `listener` when it is to be looked for at once. Returns what ends that. */
  subscribe(listener: () => void): () => void;
}

/** Where nobody marks changes: everything is looked for all the time. */
export const unmarkedChanges: Changes = { areRecent: true, subscribe: () => () => {} };

export interface ChangeWatchOptions {
  /** The version of the change marker. */
  readonly read: () => Promise<string | undefined>;
  /** For how long after a mark its writes may still come. */
  readonly announcedMs: number;
  readonly pollMs?: number;
  /** What an older api writes, which does not know the marker, is found so. */
  readonly everyMs?: number;
  /** Monotonic. */
  readonly nowMs?: () => number;
}

export class ChangeWatch implements Changes {
  readonly #options: Required<ChangeWatchOptions>;
  readonly #listeners = new Set<() => void>();
  readonly #stop = new AbortController();
  #version: string | undefined;
  #isAnswered = false;
  #changedAtMs: number;

  constructor(options: ChangeWatchOptions) {
    this.#options = {
      pollMs: 2000,
      everyMs: 600_000,
      nowMs: () => performance.now(),
      ...options,
    };
    this.#changedAtMs = this.#options.nowMs();
    void this.#poll();
  }

  get areRecent(): boolean {
    const { nowMs, announcedMs } = this.#options;
    return !this.#isAnswered || nowMs() - this.#changedAtMs < announcedMs;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  stop(): void {
    this.#stop.abort();
  }

  async #poll(): Promise<void> {
    const { pollMs } = this.#options;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await this.#look();
      await pause(pollMs, signal);
    }
  }

  async #look(): Promise<void> {
    const { read, everyMs, nowMs } = this.#options;
    try {
      // From before the look: the time that a mark holds begins with it.
      const startedMs = nowMs();
      const version = await read();
      const isFirst = !this.#isAnswered;
      const isOther = version !== this.#version;
      this.#isAnswered = true;
      this.#version = version;
      if (!isFirst && !isOther && startedMs - this.#changedAtMs < everyMs) return;
      this.#changedAtMs = startedMs;
      for (const listener of this.#listeners) listener();
    } catch {
      // Those who look for something meet the same failure, and say so.
      this.#isAnswered = false;
    }
  }
}
