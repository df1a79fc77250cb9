// A queue in which everybody has a turn: by address, and of one address by name. Who puts in much waits behind itself.

interface Lane<T> {
  readonly address: string;
  readonly name: string;
  readonly items: T[];
}

export class FairQueue<T> {
  /** By address, each with its lanes by name; the first of both is the next in turn. */
  readonly #addresses = new Map<string, Map<string, Lane<T>>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(address: string, name: string, item: T): void {
    const lanes = this.#addresses.get(address) ?? new Map<string, Lane<T>>();
    const lane = lanes.get(name) ?? { address, name, items: [] };
    lane.items.push(item);
    lanes.set(name, lane);
    this.#addresses.set(address, lanes);
    this.#size++;
  }

  /** The next in turn; its address, and its name of that address, go behind all others. */
  shift(): T | undefined {
    for (const [address, lanes] of this.#addresses) {
      for (const [name, lane] of lanes) {
        const item = lane.items.shift();
        lanes.delete(name);
        if (lane.items.length > 0) lanes.set(name, lane);
        this.#addresses.delete(address);
        if (lanes.size > 0) this.#addresses.set(address, lanes);
        this.#size--;
        return item;
      }
    }
    return undefined;
  }

  /** Takes out one that waits no more. */
  remove(address: string, name: string, item: T): void {
    const lanes = this.#addresses.get(address);
    const lane = lanes?.get(name);
    const at = lane?.items.indexOf(item) ?? -1;
    if (lanes === undefined || lane === undefined || at === -1) return;
    lane.items.splice(at, 1);
    if (lane.items.length === 0) lanes.delete(name);
    if (lanes.size === 0) this.#addresses.delete(address);
    this.#size--;
  }

  /** Takes out the last one of the longest lane of the address that has the most. */
  dropLast(): T | undefined {
    const lanes = longest(this.#addresses.values(), (one) =>
      [...one.values()].reduce((sum, { items }) => sum + items.length, 0),
    );
    const lane = lanes && longest(lanes.values(), ({ items }) => items.length);
    const item = lane?.items.at(-1);
    if (lane !== undefined && item !== undefined) this.remove(lane.address, lane.name, item);
    return item;
  }
}

function longest<T>(all: Iterable<T>, lengthOf: (one: T) => number): T | undefined {
  let found: T | undefined;
  let length = -1;
  for (const one of all) {
    const its = lengthOf(one);
    if (its > length) [found, length] = [one, its];
  }
  return found;
}
