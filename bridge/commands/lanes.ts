// Commands that cannot be published at once, because something has to happen first: those to their topic wait behind
// them, in order, and nobody else does.

/** A large payload counts as several commands. */
const bytesCountedOnce = 32 * 1024;

/** What waits in the lanes; `T` is what a command has become when the next of its topic may go. */
export class Lanes<T> {
  /** By topic, the last of those that wait. */
  readonly #last = new Map<string, Promise<T>>();
  /** How much waits, by caller. */
  readonly #waiting = new Map<string, number>();
  readonly #max: number;
  readonly #maxEach: number;
  #size = 0;

  /** Of `max` in all, one caller's are at most a quarter. */
  constructor(max: number) {
    this.#max = max;
    this.#maxEach = Math.ceil(max / 4);
  }

  get size(): number {
    return this.#size;
  }

  /** Whether a command to this topic has to wait for others. */
  has(topic: string): boolean {
    return this.#last.has(topic);
  }

  /** Whether one more of this caller can wait; one alone may be larger than its share. */
  hasRoomFor(caller: string, bytes: number): boolean {
    const ofCaller = this.#waiting.get(caller) ?? 0;
    const cost = costOf(bytes);
    return this.#size + cost <= this.#max && (ofCaller === 0 || ofCaller + cost <= this.#maxEach);
  }

  /** Calls `start` once all that was put in before on this topic is done, with what the last of it has become. */
  async put(
    topic: string,
    { caller, bytes }: { readonly caller: string; readonly bytes: number },
    start: (before: T | undefined) => Promise<T>,
  ): Promise<T> {
    const cost = costOf(bytes);
    this.#count(caller, cost);
    const before = this.#last.get(topic) ?? Promise.resolve(undefined);
    const done = before.then(start, () => start(undefined));
    this.#last.set(topic, done);
    try {
      return await done;
    } finally {
      this.#count(caller, -cost);
      if (this.#last.get(topic) === done) this.#last.delete(topic);
    }
  }

  #count(caller: string, change: number): void {
    this.#size += change;
    const count = (this.#waiting.get(caller) ?? 0) + change;
    if (count === 0) this.#waiting.delete(caller);
    else this.#waiting.set(caller, count);
  }
}

function costOf(bytes: number): number {
  return 1 + Math.floor(bytes / bytesCountedOnce);
}
