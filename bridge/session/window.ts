// The window: unacknowledged deliveries of one connection in arrival order, and which PUBACKs may leave.

/** One unacknowledged PUBLISH. */
export interface Unacknowledged {
  readonly packetId: number;
  readonly settled: boolean;
}

/**
 * PUBACKs have to leave in the order the PUBLISHes came [MQTT-4.6.0-2], while handlers finish in any order:
 * a delivery is released once it and all before it are settled. One window belongs to one connection, because
 * a packet id means nothing on the next one [MQTT-3.2.2-5].
 */
export class Window<T extends Unacknowledged> {
  /** Without those that are released: what the first half of it held would outlive its PUBACK by a whole window. */
  #entries: (T | undefined)[] = [];
  #head = 0;

  add(entry: T): void {
    this.#entries.push(entry);
  }

  get size(): number {
    return this.#entries.length - this.#head;
  }

  /** The first that is not released. */
  get oldest(): T | undefined {
    return this.#entries[this.#head];
  }

  /** What is not released, in arrival order. */
  pending(): T[] {
    return this.#entries.slice(this.#head) as T[];
  }

  /** Takes the deliveries whose PUBACK may leave now, in arrival order. */
  release(): T[] {
    const released: T[] = [];
    for (;;) {
      const entry = this.#entries[this.#head];
      if (entry?.settled !== true) break;
      released.push(entry);
      this.#entries[this.#head++] = undefined;
    }
    // Compacting when half is released keeps both the memory and the copying bounded.
    if (this.#head * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head);
      this.#head = 0;
    }
    return released;
  }
}
