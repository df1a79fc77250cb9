// Who holds how much of what is bounded for all: where there is too much, the one who holds the most gives up the
// oldest of theirs. So nobody loses anything to somebody who holds more.

interface Held {
  readonly owner: string;
  readonly cost: number;
}

export class Shares {
  readonly #max: number;
  readonly #maxEach: number;
  /** In the order of their age. */
  readonly #byOwner = new Map<string, Map<string, Held>>();
  readonly #totals = new Map<string, number>();
  readonly #held = new Map<string, Held>();
  #total = 0;

  /** Of `max` in all, one owner holds at most half. */
  constructor(max: number) {
    this.#max = max;
    this.#maxEach = Math.max(1, Math.ceil(max / 2));
  }

  has(key: string): boolean {
    return this.#held.has(key);
  }

  ownerOf(key: string): string | undefined {
    return this.#held.get(key)?.owner;
  }

  add(key: string, owner: string, cost = 1): void {
    const held = { owner, cost };
    this.#held.set(key, held);
    const keys = this.#byOwner.get(owner) ?? new Map<string, Held>();
    this.#byOwner.set(owner, keys.set(key, held));
    this.#count(owner, cost);
  }

  delete(key: string): void {
    const held = this.#held.get(key);
    if (held === undefined) return;
    this.#held.delete(key);
    const keys = this.#byOwner.get(held.owner);
    keys?.delete(key);
    if (keys?.size === 0) this.#byOwner.delete(held.owner);
    this.#count(held.owner, -held.cost);
  }

  /** What has to go, as this owner or all together have too much: the oldest of who holds the most. */
  excess(owner: string): string | undefined {
    const isOver = (this.#totals.get(owner) ?? 0) > this.#maxEach;
    if (!isOver && this.#total <= this.#max) return undefined;
    const keys = this.#byOwner.get(isOver ? owner : this.#largest());
    return keys?.keys().next().value;
  }

  #largest(): string {
    let largest = '';
    let maxTotal = -1;
    for (const [owner, total] of this.#totals) {
      if (total > maxTotal) [largest, maxTotal] = [owner, total];
    }
    return largest;
  }

  #count(owner: string, cost: number): void {
    this.#total += cost;
    const total = (this.#totals.get(owner) ?? 0) + cost;
    if (total === 0) this.#totals.delete(owner);
    else this.#totals.set(owner, total);
  }
}
