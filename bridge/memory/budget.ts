// One budget of bytes for the whole process, and an account in it for each that holds bytes. It touches nothing.
//
// The law: an account has a floor that no other can take. What it holds beyond comes from the part that is nobody's
// floor, and one account gets no more of that than is left for the others (the dynamic threshold of shared packet
// buffers, Choudhury and Hahne 1998): so whatever a held route keeps, another finds room beyond its floor, too.

interface Waiting {
  readonly account: Account;
  readonly bytes: number;
  readonly resume: () => void;
}

export class Budget {
  /** What no account has as its floor. */
  #sharedBytes: number;
  /** What accounts hold beyond their floors. */
  #lentBytes = 0;
  #waiting: Waiting[] = [];
  #wakeScheduled = false;

  constructor(totalBytes: number) {
    this.#sharedBytes = totalBytes;
  }

  /** An account with a floor of its own. Throws where the floors would be more than there is: see `memoryFaults`. */
  open(floorBytes: number): Account {
    if (floorBytes > this.#sharedBytes) throw new Error('memoryMiB has no room for one more floor');
    this.#sharedBytes -= floorBytes;
    return new Account(this, floorBytes);
  }

  /** Of an account with `beyond` bytes over its floor: whether there may be `more`. */
  mayLend(beyond: number, more: number): boolean {
    return beyond + more <= this.#sharedBytes - this.#lentBytes - more;
  }

  lend(bytes: number): void {
    this.#lentBytes += bytes;
  }

  /** Calls back once when `bytes` fit into the account: those first who have waited longest. */
  wait(waiting: Waiting): void {
    this.#waiting.push(waiting);
  }

  /** Some account holds less. A whole batch settles in one go: those that wait look once. */
  wakeSoon(): void {
    if (this.#waiting.length === 0 || this.#wakeScheduled) return;
    this.#wakeScheduled = true;
    queueMicrotask(() => {
      this.#wakeScheduled = false;
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const one of waiting) {
        if (one.account.fits(one.bytes)) one.resume();
        else this.#waiting.push(one);
      }
    });
  }
}

export class Account {
  readonly #budget: Budget;
  readonly #floorBytes: number;
  #heldBytes = 0;

  constructor(budget: Budget, floorBytes: number) {
    this.#budget = budget;
    this.#floorBytes = floorBytes;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Whether so many more may be taken now. Always into an empty account: else what is above its floor would never go. */
  fits(bytes: number): boolean {
    const held = this.#heldBytes;
    const after = held + bytes - this.#floorBytes;
    if (after <= 0 || held === 0) return true;
    const beyond = Math.max(0, held - this.#floorBytes);
    return this.#budget.mayLend(beyond, after - beyond);
  }

  /** Takes them, whether they fit or not: they are in memory. */
  take(bytes: number): void {
    const beyond = this.#heldBytes - this.#floorBytes;
    this.#heldBytes += bytes;
    if (beyond + bytes > 0) this.#budget.lend(beyond > 0 ? bytes : beyond + bytes);
  }

  give(bytes: number): void {
    const beyond = this.#heldBytes - this.#floorBytes;
    this.#heldBytes -= bytes;
    if (beyond > 0) this.#budget.lend(-Math.min(bytes, beyond));
    this.#budget.wakeSoon();
  }

  /** Calls back once, when so many fit; not in the caller's stack. */
  whenFits(bytes: number, resume: () => void): void {
    this.#budget.wait({ account: this, bytes, resume });
    this.#budget.wakeSoon();
  }

  /** As {@link whenFits}, as a promise. */
  room(bytes: number): Promise<undefined> {
    return new Promise((resolve) => this.whenFits(bytes, () => resolve(undefined)));
  }
}
