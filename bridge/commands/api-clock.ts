// What time it is for the api: deadlines are of its clock, and this machine's may be another one.

/** Below it, clocks count as equal: the api's time comes in whole seconds, and some time after it was written. */
const negligibleMs = 5000;
/** The lag of a request is in what it tells: of so many, the one that came fastest is believed. */
const remembered = 8;

export class ApiClock {
  readonly #now: () => number;
  /** How far this clock was ahead of the api's, at each of the last requests, with the time that it took to come. */
  readonly #aheadMs: number[] = [];

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** A request was sent at this time of the api's, as its `Date` header says [RFC 9110, 6.6.1]. */
  observe(date: string): void {
    const sentMs = Date.parse(date);
    if (Number.isNaN(sentMs)) return;
    this.#aheadMs.push(this.#now() - sentMs);
    if (this.#aheadMs.length > remembered) this.#aheadMs.shift();
  }

  /** Milliseconds since 1970, as the api would say. */
  now(): number {
    const aheadMs = this.#aheadMs.length === 0 ? 0 : Math.min(...this.#aheadMs);
    return this.#now() - (Math.abs(aheadMs) < negligibleMs ? 0 : aheadMs);
  }
}
