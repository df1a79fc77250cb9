// How long requests took, in buckets that grow by a seventh: percentiles to within that, in 400 bytes.

const growth = 8 / 7;
/** The last bucket has all from about 13 minutes on. */
const buckets = 102;

export class Latencies {
  readonly #counts = new Uint32Array(buckets);
  #total = 0;

  get total(): number {
    return this.#total;
  }

  add(latencyMs: number): void {
    const bucket = latencyMs <= 1 ? 0 : Math.ceil(Math.log(latencyMs) / Math.log(growth));
    const place = Math.min(bucket, buckets - 1);
    this.#counts[place] = (this.#counts[place] ?? 0) + 1;
    this.#total++;
  }

  /** The time, rounded up to its bucket, within which this part of them (0 to 1) ended; NaN where there are none. */
  percentile(part: number): number {
    if (this.#total === 0) return Number.NaN;
    const wanted = Math.max(1, Math.ceil(part * this.#total));
    let seen = 0;
    for (const [bucket, count] of this.#counts.entries()) {
      seen += count;
      if (seen >= wanted) return growth ** bucket;
    }
    return Number.NaN;
  }

  clear(): void {
    this.#counts.fill(0);
    this.#total = 0;
  }
}
