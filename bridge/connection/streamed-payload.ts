// The payload of a PUBLISH that is too large to be held: its chunks, each when it is asked for.

/** Reads a payload that nobody wants, so that the next packet comes; false where the connection ends before. */
export async function readPast(payload: AsyncIterable<Buffer>): Promise<boolean> {
  try {
    for await (const _ of payload);
    return true;
  } catch {
    return false;
  }
}

export class StreamedPayload {
  readonly #goOn: () => void;
  #next: Buffer | undefined;
  #isLast: boolean;
  #isBroken = false;
  #isGivenUp = false;
  #wake: (() => void) | undefined;

  /** `goOn` is called when there is room for the next chunk. */
  constructor(first: Buffer, isLast: boolean, goOn: () => void) {
    this.#next = first;
    this.#isLast = isLast;
    this.#goOn = goOn;
  }

  /** Whether the next chunk may be pushed. What is given up is read all the same, as the next packet is behind it. */
  get isWanted(): boolean {
    return this.#isGivenUp || this.#next === undefined;
  }

  push(chunk: Buffer, isLast: boolean): void {
    this.#next = chunk;
    this.#isLast = isLast;
    this.#wake?.();
  }

  /** The connection is gone. */
  break(): void {
    this.#isBroken = true;
    this.#wake?.();
  }

  async *read(): AsyncGenerator<Buffer> {
    try {
      for (;;) {
        const chunk = await this.#take();
        if (chunk.length > 0) yield chunk;
        if (this.#isLast && this.#next === undefined) return;
      }
    } finally {
      this.#isGivenUp = true;
      this.#goOn();
    }
  }

  async #take(): Promise<Buffer> {
    while (this.#next === undefined) {
      if (this.#isBroken) throw new Error('the connection ended within a message');
      const pushed = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#goOn();
      if (this.#next === undefined) await pushed;
    }
    const chunk = this.#next;
    this.#next = undefined;
    return chunk;
  }
}
