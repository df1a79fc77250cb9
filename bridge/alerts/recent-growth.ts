// Whether a count that only grows has grown of late: what happens again and again is one thing that is wrong.

export interface Recently {
  /** How many have come. */
  readonly count: number;
  /** When the first of them did, in ms since 1970. */
  readonly sinceMs: number;
}

/** So long after the last one it is over. */
export const quietMs = 10 * 60_000;

export class RecentGrowth {
  #last = 0;
  #recently: Recently | undefined;
  #grewAtMs = 0;

  /** To be called with the count as it is now; it begins with 0. Undefined where nothing has come of late. */
  look(count: number, nowMs: number): Recently | undefined {
    const grown = count - this.#last;
    this.#last = count;
    if (grown > 0) {
      const { count: before, sinceMs } = this.#recently ?? { count: 0, sinceMs: nowMs };
      this.#recently = { count: before + grown, sinceMs };
      this.#grewAtMs = nowMs;
    } else if (nowMs - this.#grewAtMs >= quietMs) this.#recently = undefined;
    return this.#recently;
  }
}
