// What a request may read, and what it has read, in the units that DynamoDB charges.

/** Who pays for what a request reads. */
export interface ReadPayer {
  book(units: number): void;
  /** Whether the payer has paid for all that is booked, and may go on. */
  mayRead(): Promise<boolean>;
  /** Whether so many bytes more may be held until the request is answered. Default true. */
  mayHold?(bytes: number): boolean;
}

/** Read units of one request: how many it may use, and how many it has used. */
export class ReadBudget {
  #spent = 0;
  readonly #maxUnits: number;
  readonly #payer: ReadPayer | undefined;

  constructor(maxUnits = Number.POSITIVE_INFINITY, payer?: ReadPayer) {
    this.#maxUnits = maxUnits;
    this.#payer = payer;
  }

  /** Read units used so far: one for 4 KB that are read, half of one where the reading need not be consistent. */
  get spent(): number {
    return this.#spent;
  }

  /**
   * Asked before each query but a request's first, so that every page makes a step: whether more may be read. The
   * last query may go beyond, by what one query reads: 1 MB.
   */
  async mayRead(): Promise<boolean> {
    if (this.#spent === 0) return true;
    return this.#spent < this.#maxUnits && (await this.isPaid());
  }

  /** Whether what has been read is paid; asked alone where the page is bounded otherwise, by its bytes. */
  async isPaid(): Promise<boolean> {
    return (await this.#payer?.mayRead()) !== false;
  }

  book(units: number): void {
    this.#spent += units;
    this.#payer?.book(units);
  }

  /** Asked for what a request keeps in memory that is not a part of its answer, and may be much. */
  mayHold(bytes: number): boolean {
    return this.#payer?.mayHold?.(bytes) !== false;
  }

  /** For what is bounded otherwise, and has to be read whole: booked here too, but no reason to stop. */
  unbounded(): ReadBudget {
    return new ReadBudget(Number.POSITIVE_INFINITY, {
      book: (units) => this.book(units),
      mayRead: async () => true,
      mayHold: (bytes) => this.mayHold(bytes),
    });
  }
}

/** What a call has to ask for, so that what it takes can be booked. */
export function bookedBy(budget: ReadBudget | undefined): { ReturnConsumedCapacity?: 'TOTAL' } {
  return budget === undefined ? {} : { ReturnConsumedCapacity: 'TOTAL' };
}
