// How fast publishes may leave where the broker allows so many a second: it discards what is above, or closes.
import { Pace } from '../base/pace.ts';

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

export class PublishPace {
  readonly #publishes: Pace | undefined;
  readonly #bytes: Pace | undefined;

  constructor({ perSecond, bytesPerSecond }: PaceLimits) {
    if (perSecond !== undefined) this.#publishes = new Pace(perSecond * usable, burstSeconds);
    if (bytesPerSecond !== undefined) this.#bytes = new Pace(bytesPerSecond * usable, burstSeconds);
  }

  /** Milliseconds until a publish may leave; 0 when it may now. */
  waitMs(nowMs: number): number {
    return Math.max(this.#publishes?.waitMs(nowMs) ?? 0, this.#bytes?.waitMs(nowMs) ?? 0);
  }

  /** A publish of so many bytes leaves, or has come. */
  count(bytes: number, nowMs: number): void {
    this.#publishes?.count(1, nowMs);
    this.#bytes?.count(bytes, nowMs);
  }
}
