// Messages a second over the last minute, without a timer.

const bucketMs = 5000;
const buckets = 12;

export class RecentRate {
  readonly #startedMs: number;
  /** Counts of five seconds each, by the number of those five seconds since 1970. */
  readonly #counts = new Map<number, number>();

  constructor(nowMs = Date.now()) {
    this.#startedMs = nowMs;
  }

  add(count: number, nowMs = Date.now()): void {
    const bucket = Math.floor(nowMs / bucketMs);
    this.#counts.set(bucket, (this.#counts.get(bucket) ?? 0) + count);
    if (this.#counts.size <= buckets) return;
    for (const old of this.#counts.keys()) if (old <= bucket - buckets) this.#counts.delete(old);
  }

  /** A second's share of the last minute, or of the time since the start where that is shorter. */
  perSecond(nowMs = Date.now()): number {
    const first = Math.floor(nowMs / bucketMs) - buckets;
    let sum = 0;
    for (const [bucket, count] of this.#counts) if (bucket > first) sum += count;
    // A clock that was set back leaves buckets of the future behind: no more than a wrong number for a minute.
    const seconds = Math.min(buckets * bucketMs, Math.max(1000, nowMs - this.#startedMs)) / 1000;
    return Math.round((sum / seconds) * 10) / 10;
  }
}
