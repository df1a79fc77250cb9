// How many readers there are, of one caller and of all: each holds a connection.
export interface ReaderLimits {
  readonly ofCaller: number;
  readonly ofAll: number;
}

/** Of one process. */
export const readerLimits: ReaderLimits = { ofCaller: 20, ofAll: 200 };

export class Readers {
  readonly #limits: ReaderLimits;
  readonly #counts = new Map<string, number>();
  #all = 0;

  constructor(limits: ReaderLimits) {
    this.#limits = limits;
  }

  /** Undefined where there are as many as may be; else what to call once the reader has gone. */
  enter(caller: string): (() => void) | undefined {
    const own = this.#counts.get(caller) ?? 0;
    if (own >= this.#limits.ofCaller || this.#all >= this.#limits.ofAll) return undefined;
    this.#counts.set(caller, own + 1);
    this.#all++;
    let isHere = true;
    return () => {
      if (!isHere) return;
      isHere = false;
      this.#all--;
      const left = (this.#counts.get(caller) ?? 1) - 1;
      if (left === 0) this.#counts.delete(caller);
      else this.#counts.set(caller, left);
    };
  }
}
