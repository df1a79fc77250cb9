// A rate that is kept: when the next may leave.

/**
 * Kept as the time by which all that was counted has left at this rate. The share of `burstSeconds` may leave at once. What
 * is not used is not saved: no larger burst follows a pause. `nowMs` is monotonic.
 */
export class Pace {
  readonly #perMs: number;
  readonly #burstMs: number;
  #workedOffAtMs = Number.NEGATIVE_INFINITY;

  constructor(perSecond: number, burstSeconds = 0) {
    this.#perMs = perSecond / 1000;
    this.#burstMs = burstSeconds * 1000;
  }

  /** Milliseconds until the next may leave; 0 when it may now. */
  waitMs(nowMs: number): number {
    return Math.max(0, Math.ceil(this.#workedOffAtMs - this.#burstMs - nowMs));
  }

  /** So many leave, or have come. */
  count(amount: number, nowMs: number): void {
    this.#workedOffAtMs = Math.max(this.#workedOffAtMs, nowMs) + amount / this.#perMs;
  }
}

/** How many may leave together: at most a fifth of a second's share, so that the rate holds within a second too. */
export function paceBatch(perSecond: number, maxBatch: number): number {
  return Math.max(1, Math.min(maxBatch, Math.floor(perSecond / 5)));
}
