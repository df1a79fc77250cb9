// How fast publishes may leave where the broker allows so many a second: it discards what is above, or closes.

export interface PaceLimits {
  readonly perSecond?: number | undefined;
  readonly bytesPerSecond?: number | undefined;
}

/**
 * Of the limit, so much is used: the network can bring what we have spaced closer together, and pings, SUBSCRIBEs and
 * acknowledgements are counted by the broker too.
 */
const usable = 0.8;

/** So much of a second's share may leave at once; in any second, burst and rate together stay below the limit. */
const burstSeconds = 0.1;

export class Pace {
  readonly #spacings: readonly Spacing[];

  constructor({ perSecond, bytesPerSecond }: PaceLimits) {
    this.#spacings = [
      ...(perSecond === undefined ? [] : [new Spacing(perSecond, () => 1)]),
      ...(bytesPerSecond === undefined ? [] : [new Spacing(bytesPerSecond, (bytes) => bytes)]),
    ];
  }

  /** Milliseconds until a publish may leave; 0 when it may now. */
  waitMs(nowMs: number): number {
    return Math.max(0, ...this.#spacings.map((spacing) => spacing.waitMs(nowMs)));
  }

  /** A publish of so many bytes leaves, or has come. */
  count(bytes: number, nowMs: number): void {
    for (const spacing of this.#spacings) spacing.count(bytes, nowMs);
  }
}

/** One limit, kept as the time at which all that was counted has been worked off at the usable rate. */
class Spacing {
  readonly #perMs: number;
  readonly #cost: (bytes: number) => number;
  #workedOffAtMs = Number.NEGATIVE_INFINITY;

  constructor(perSecond: number, cost: (bytes: number) => number) {
    this.#perMs = (perSecond * usable) / 1000;
    this.#cost = cost;
  }

  waitMs(nowMs: number): number {
    return Math.ceil(this.#workedOffAtMs - burstSeconds * 1000 - nowMs);
  }

  count(bytes: number, nowMs: number): void {
    this.#workedOffAtMs = Math.max(this.#workedOffAtMs, nowMs) + this.#cost(bytes) / this.#perMs;
  }
}
