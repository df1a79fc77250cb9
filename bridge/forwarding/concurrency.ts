// How many requests may be in flight to a handler: found out by trying, between 1 and the route's limit.

/** How a request ended, as far as the handler's capacity goes. */
export type Load = 'served' | 'overloaded';

/**
 * Additive increase, multiplicative decrease. A handler that answers 429 or 5xx, or none in time, or that gets
 * much slower than it was, gets fewer requests at once; one that copes gets one more for each full round.
 *
 * Starts at the limit: most handlers take it, and one that does not says so with its first answers.
 * "Much slower" is three times its usual latency and 50 ms more, so that ordinary noise changes nothing.
 */
export class AdaptiveConcurrency {
  readonly #maxLimit: number;
  #limit: number;
  /** Usual latency: follows a faster handler soon, and a slower one late. */
  #usualMs: number | undefined;

  constructor(maxLimit: number) {
    this.#maxLimit = maxLimit;
    this.#limit = maxLimit;
  }

  /** Requests that may be in flight now; a whole number from 1 to the limit. */
  get limit(): number {
    return Math.floor(this.#limit);
  }

  record(load: Load, latencyMs: number): void {
    if (load === 'overloaded') {
      this.#limit = Math.max(1, this.#limit / 2);
      return;
    }
    const usualMs = this.#usualMs ?? latencyMs;
    const isSlow = latencyMs > usualMs * 3 + 50;
    this.#usualMs = usualMs + (latencyMs - usualMs) * (latencyMs < usualMs ? 0.3 : 0.03);
    this.#limit = isSlow
      ? Math.max(1, this.#limit * 0.9)
      : Math.min(this.#maxLimit, this.#limit + 1 / this.#limit);
  }
}
