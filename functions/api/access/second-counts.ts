// How many events of a key came in its present second, which begins with the first of them. Counted in this process.
import { LRUCache } from 'lru-cache';

export interface SecondCount {
  readonly count: number;
  /** Until the second ends: 1 to 1000. */
  readonly msLeft: number;
}

/**
 * More keys than a process hears of in a second; beyond it the one that was quiet longest is forgotten. The cache makes room
 * for all of them at once: ten times as many would take 20 ms of a cold start.
 */
const maxKeys = 10_000;

/**
 * Not the memory store of rate-limiter-flexible: its main file loads the clients of all databases that it knows, which
 * takes 25 ms of a cold start, and its parts have no types of their own.
 */
export class SecondCounts {
  readonly #seconds = new LRUCache<string, { count: number; readonly endsAtMs: number }>({
    max: maxKeys,
  });

  /** Counts one more event. */
  add(key: string): SecondCount {
    const current = this.of(key);
    const endsAtMs = Date.now() + (current?.msLeft ?? 1000);
    const count = (current?.count ?? 0) + 1;
    this.#seconds.set(key, { count, endsAtMs });
    return { count, msLeft: current?.msLeft ?? 1000 };
  }

  /** Undefined where there was none in the last second. */
  of(key: string): SecondCount | undefined {
    const second = this.#seconds.get(key);
    if (second === undefined) return undefined;
    const msLeft = second.endsAtMs - Date.now();
    // More than a second is left where the clock was set back.
    return msLeft > 0 && msLeft <= 1000 ? { count: second.count, msLeft } : undefined;
  }
}
