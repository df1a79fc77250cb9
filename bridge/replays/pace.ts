// The pace of a replay: when the next messages may leave, so that no more than so many do in a second.

/** A pace of `perSecond`; `nowMs` is monotonic. What was not used up is not saved: no burst follows a pause. */
export class Pace {
  readonly #perSecond: number;
  #nextMs = Number.NEGATIVE_INFINITY;

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
  }

  /** How long to wait before sending `count` messages now; from then on they have been sent. */
  waitMs(count: number, nowMs: number): number {
    const startMs = Math.max(this.#nextMs, nowMs);
    this.#nextMs = startMs + (count / this.#perSecond) * 1000;
    return startMs - nowMs;
  }
}

/** Most messages of one request: a fifth of a second's, so that the rate holds within a second too. */
export function paceBatch(perSecond: number, maxBatch: number): number {
  return Math.max(1, Math.min(maxBatch, Math.floor(perSecond / 5)));
}
