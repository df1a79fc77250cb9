// What the model is made of: chance by a seed, a heap, and topics of which some are hot. Pure.

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The one with the smallest key first; a key must not change while it is in. */
export class Heap<T> {
  readonly #key: (one: T) => number;
  readonly #entries: { readonly key: number; readonly value: T }[] = [];

  constructor(key: (one: T) => number) {
    this.#key = key;
  }

  get size(): number {
    return this.#entries.length;
  }

  get first(): T | undefined {
    return this.#entries[0]?.value;
  }

  add(value: T): void {
    const entries = this.#entries;
    const entry = { key: this.#key(value), value };
    let at = entries.length;
    for (; at > 0; ) {
      const parent = (at - 1) >> 1;
      const above = entries[parent];
      if (above === undefined || above.key <= entry.key) break;
      entries[at] = above;
      at = parent;
    }
    entries[at] = entry;
  }

  pop(): T | undefined {
    const entries = this.#entries;
    const top = entries[0];
    const last = entries.pop();
    if (top === undefined || last === undefined || entries.length === 0) return top?.value;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      if (left >= entries.length) break;
      const right = left + 1;
      const isRight = (entries[right]?.key ?? Number.POSITIVE_INFINITY) < (entries[left]?.key ?? 0);
      const child = isRight ? right : left;
      const below = entries[child];
      if (below === undefined || below.key >= last.key) break;
      entries[at] = below;
      at = child;
    }
    entries[at] = last;
    return top.value;
  }
}

/** Sum of 1/k^exponent for k from 1 to `count`: exact for the first ones, by an integral from there on. */
export function zipfSum(count: number, exponent: number): number {
  const exact = Math.min(count, 1000);
  let sum = 0;
  for (let rank = 1; rank <= exact; rank++) sum += rank ** -exponent;
  if (count <= exact) return sum;
  const [from, to] = [exact + 0.5, count + 0.5];
  if (exponent === 1) return sum + Math.log(to / from);
  return sum + (to ** (1 - exponent) - from ** (1 - exponent)) / (1 - exponent);
}

/** Part of all messages that are on the topic with most of them; exponent 0 for topics that are alike. */
export function hottestShare(topics: number, exponent: number): number {
  return 1 / zipfSum(topics, exponent);
}

/** Rank of a topic by Zipf's law, from 0: the inverse of the integral, which is exact enough beyond the first ranks. */
export function zipfTopic(topics: number, exponent: number): (random: () => number) => number {
  if (exponent === 0) return (random) => Math.floor(random() * topics);
  const exact = Math.min(topics, 1000);
  const sums: number[] = [];
  let sum = 0;
  for (let rank = 1; rank <= exact; rank++) {
    sum += rank ** -exponent;
    sums.push(sum);
  }
  const all = zipfSum(topics, exponent);
  return (random) => {
    const wanted = random() * all;
    if (wanted <= sum) {
      let [low, high] = [0, exact - 1];
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((sums[middle] ?? 0) < wanted) low = middle + 1;
        else high = middle;
      }
      return low;
    }
    const rest = wanted - sum;
    const from = exact + 0.5;
    const rank =
      exponent === 1
        ? from * Math.exp(rest)
        : (from ** (1 - exponent) + rest * (1 - exponent)) ** (1 / (1 - exponent));
    return Math.min(topics, Math.round(rank)) - 1;
  };
}
