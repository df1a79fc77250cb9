// The messages of one topic, in order; and the lanes that can be sent, by how long their first message has waited.

/** What the batcher needs to know of a message. */
export interface Batchable {
  readonly topic: string;
  /** Bytes that it takes in a request. */
  readonly bytes: number;
  /** When it arrived, by the clock of `performance.now()`. */
  readonly arrivedMs: number;
  /** The one behind it, while it waits in a lane. */
  next?: Batchable | undefined;
}

/**
 * While some of its messages are in a request, the others wait. They are linked to each other: most lanes hold few, and an
 * array for each of them would be larger than what is in it.
 */
export class Lane<T extends Batchable> {
  readonly topic: string;
  inFlight = false;
  /** Of what is in a request. */
  messagesInFlight = 0;
  bytesInFlight = 0;
  /** Bytes of what waits. */
  bytes = 0;
  #first: T | undefined;
  #last: T | undefined;
  #size = 0;

  constructor(topic: string) {
    this.topic = topic;
  }

  /** Messages that wait. */
  get size(): number {
    return this.#size;
  }

  get first(): T | undefined {
    return this.#first;
  }

  /** Nothing waits, and nothing is in flight. */
  get isIdle(): boolean {
    return this.#size === 0 && !this.inFlight;
  }

  add(item: T): void {
    if (this.#last === undefined) this.#first = item;
    else this.#last.next = item;
    this.#last = item;
    this.#size++;
    this.bytes += item.bytes;
  }

  /** Takes the first. */
  take(): T | undefined {
    const item = this.#first;
    if (item === undefined) return undefined;
    this.#first = item.next as T | undefined;
    item.next = undefined;
    if (this.#first === undefined) this.#last = undefined;
    this.#size--;
    this.bytes -= item.bytes;
    this.messagesInFlight++;
    this.bytesInFlight += item.bytes;
    return item;
  }

  /** The request is over. What is to be sent again is put back, before all others. */
  landed(): void {
    this.messagesInFlight = 0;
    this.bytesInFlight = 0;
  }

  /** Puts back what was taken, before all others. */
  putBack(items: readonly T[]): void {
    for (const item of items.toReversed()) {
      item.next = this.#first;
      this.#first = item;
      this.#last ??= item;
      this.#size++;
      this.bytes += item.bytes;
    }
  }
}

/**
 * Lanes with messages and none in flight, in a heap: the next one costs a few comparisons, however many there are. A
 * lane's first message does not change while it is here.
 */
export class ReadyLanes<T extends Batchable> {
  readonly #heap: Lane<T>[] = [];

  /** The lane whose first message has waited longest. */
  get oldest(): Lane<T> | undefined {
    return this.#heap[0];
  }

  add(lane: Lane<T>): void {
    const heap = this.#heap;
    const sinceMs = sinceOf(lane);
    let index = heap.length;
    heap.push(lane);
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = heap[above] as Lane<T>;
      if (sinceOf(parent) <= sinceMs) break;
      heap[index] = parent;
      index = above;
    }
    heap[index] = lane;
  }

  /** Takes out {@link oldest}; its messages must be there still. */
  removeOldest(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    const sinceMs = sinceOf(last);
    let index = 0;
    for (;;) {
      let below = index * 2 + 1;
      if (below >= heap.length) break;
      const right = heap[below + 1];
      if (right !== undefined && sinceOf(right) < sinceOf(heap[below] as Lane<T>)) below++;
      const child = heap[below] as Lane<T>;
      if (sinceMs <= sinceOf(child)) break;
      heap[index] = child;
      index = below;
    }
    heap[index] = last;
  }
}

/** Not by `??`, for which V8 makes an object of each number that is looked at. */
function sinceOf<T extends Batchable>({ first }: Lane<T>): number {
  return first === undefined ? Number.NEGATIVE_INFINITY : first.arrivedMs;
}
