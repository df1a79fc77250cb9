// The window: unacknowledged deliveries of one connection in arrival order, and which PUBACKs may leave.

/** One unacknowledged PUBLISH. */
export interface Unacknowledged {
  readonly packetId: number;
  readonly settled: boolean;
}

const firstLength = 64;

/**
 * PUBACKs have to leave in the order the PUBLISHes came [MQTT-4.6.0-2], while handlers finish in any order:
 * a delivery is released once it and all before it are settled. One window belongs to one connection, because
 * a packet id means nothing on the next one [MQTT-3.2.2-5].
 */
export class Window<T extends Unacknowledged> {
  /** A ring, as long as a power of two. What is released is taken out: it would outlive its PUBACK by a whole window. */
  #ring: (T | undefined)[] = new Array(firstLength);
  #head = 0;
  #size = 0;

  add(entry: T): void {
    if (this.#size === this.#ring.length) this.#double();
    this.#ring[this.#at(this.#size++)] = entry;
  }

  get size(): number {
    return this.#size;
  }

  /** The first that is not released. */
  get oldest(): T | undefined {
    return this.#ring[this.#head];
  }

  /** What is not released, in arrival order. */
  pending(): T[] {
    return this.#first(this.#size);
  }

  /** Takes the deliveries whose PUBACK may leave now, in arrival order. */
  release(): T[] {
    let count = 0;
    while (count < this.#size && this.#ring[this.#at(count)]?.settled === true) count++;
    const released = this.#first(count);
    for (let index = 0; index < count; index++) this.#ring[this.#at(index)] = undefined;
    this.#head = this.#at(count);
    this.#size -= count;
    return released;
  }

  #at(index: number): number {
    return (this.#head + index) & (this.#ring.length - 1);
  }

  #first(count: number): T[] {
    const entries = new Array<T>(count);
    for (let index = 0; index < count; index++) entries[index] = this.#ring[this.#at(index)] as T;
    return entries;
  }

  #double(): void {
    const entries: (T | undefined)[] = this.pending();
    entries.length *= 2;
    this.#ring = entries;
    this.#head = 0;
  }
}
