// A bound on what is underway at once, in number and in bytes; who asks first is served first.

interface Request {
  readonly bytes: number;
  readonly grant: () => void;
}

export class Allowance {
  readonly #maxCount: number;
  readonly #maxBytes: number;
  readonly #waiting: Request[] = [];
  #count = 0;
  #bytes = 0;

  constructor(maxCount: number, maxBytes = Number.POSITIVE_INFINITY) {
    this.#maxCount = maxCount;
    this.#maxBytes = maxBytes;
  }

  get count(): number {
    return this.#count;
  }

  /** Resolves when there is room. One alone may be larger than all the bytes. */
  take(bytes = 0): Promise<void> {
    return new Promise((grant) => {
      this.#waiting.push({ bytes, grant });
      this.#serve();
    });
  }

  /** Gives back what was taken. */
  give(bytes = 0): void {
    this.#count--;
    this.#bytes -= bytes;
    this.#serve();
  }

  #serve(): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      const isFull = this.#count >= this.#maxCount || this.#bytes + next.bytes > this.#maxBytes;
      if (this.#count > 0 && isFull) return;
      this.#waiting.shift();
      this.#count++;
      this.#bytes += next.bytes;
      next.grant();
    }
  }
}
