// Bytes that clients may hold of what all share, memory or disk: of one user, and of all together. The server's own has
// a budget beside that.
import { isOwn } from '../access/own-user.ts';

export class Budget {
  readonly #maxBytes: number;
  readonly #all: Budget | undefined;
  #bytes = 0;

  /** What is added counts for `all`, too. */
  constructor(maxBytes: number, all?: Budget) {
    this.#maxBytes = maxBytes;
    this.#all = all;
  }

  get isEmpty(): boolean {
    return this.#bytes === 0;
  }

  hasRoom(bytes: number): boolean {
    return this.#bytes + bytes <= this.#maxBytes && (this.#all?.hasRoom(bytes) ?? true);
  }

  /** Notes that so much more is held; less, where it is negative. */
  add(bytes: number): void {
    this.#bytes += bytes;
    this.#all?.add(bytes);
  }
}

export interface UserBudgetLimits {
  readonly maxBytes: number;
  /** Of one user; undefined where all clients are one. */
  readonly maxBytesPerUser: number | undefined;
}

/** More users than these are no longer told from one another where they hold nothing. */
const maxUsers = 10_000;

/** A budget for each user. */
export class UserBudgets {
  readonly #all: Budget;
  readonly #perUser: number | undefined;
  readonly #own: Budget;
  readonly #users = new Map<string | undefined, Budget>();

  constructor({ maxBytes, maxBytesPerUser }: UserBudgetLimits) {
    this.#all = new Budget(maxBytes);
    this.#perUser = maxBytesPerUser;
    this.#own = new Budget(maxBytesPerUser ?? maxBytes);
  }

  of(user: string | undefined): Budget {
    if (isOwn(user)) return this.#own;
    if (this.#perUser === undefined) return this.#all;
    const known = this.#users.get(user);
    if (known !== undefined) return known;
    if (this.#users.size >= maxUsers)
      for (const [name, one] of this.#users) if (one.isEmpty) this.#users.delete(name);
    const budget = new Budget(this.#perUser, this.#all);
    this.#users.set(user, budget);
    return budget;
  }
}
