// Allowances: how much of one thing a holder may take in a window of time, over all instances of the api together.
import { LRUCache } from 'lru-cache';

/** Windows are those of the clock, the same at every instance: in any stretch as long, at most two are touched. */
export const windowMs = 10_000;

/** What is taken together: from a window, for a holder, at most up to its limit. */
export interface Share {
  /** Whose and what it is, as text. */
  readonly holder: string;
  /** Which window: whole numbers, one after the other. */
  readonly window: number;
  readonly amount: number;
  /** No more than this may be taken from the window. */
  readonly limit: number;
}

/** Where it is counted what has been taken. Resolves with whether the share is within the limit; else nothing is taken. */
export type TakeShare = (share: Share) => Promise<boolean>;

export interface AllowanceOptions {
  /** What is taken, as part of the holder. */
  readonly name: string;
  /** How much a holder may take in a window. */
  readonly perWindow: number;
  /** An instance takes as much at once, and spends it by itself: more saves asking, and leaves more unused. */
  readonly block: number;
  /** How much each instance gives in a window without asking. Default 0. */
  readonly free?: number;
  readonly takeShare: TakeShare;
  readonly now?: () => number;
}

/** What was taken, as long as its window lasts. */
export interface Grant {
  /** Gives back what was not used, to this instance. */
  giveBack(amount: number): void;
}

/** What an instance has of a holder's allowance in a window. */
interface Pool {
  readonly window: number;
  /** Below zero where more was used than taken. */
  left: number;
  /** The least that was refused: asked for again where it is half as much. */
  refused: number;
}

const maxPools = 10_000;

/**
 * Fixed windows, counted where all instances see it: so however many instances a holder uses, it takes no more than
 * `perWindow` in a window, and no more than twice that in any stretch as long.
 */
export class Allowance {
  readonly perWindow: number;
  readonly #options: AllowanceOptions;
  readonly #now: () => number;
  readonly #pools = new LRUCache<string, Pool>({ max: maxPools });

  constructor(options: AllowanceOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.perWindow = options.perWindow;
  }

  /** Takes so much, also nothing or a fraction, after what the holder has used beyond; undefined where that is more than is left. */
  async take(holder: string, amount: number): Promise<Grant | undefined> {
    const pool = this.#poolOf(holder);
    if (pool.left < amount && !(await this.#fill(holder, pool, amount))) return undefined;
    pool.left -= amount;
    return {
      giveBack: (unused) => {
        pool.left += unused;
      },
    };
  }

  /** Notes what has been used already; it is paid by what the holder takes next. */
  book(holder: string, amount: number): void {
    this.#poolOf(holder).left -= amount;
  }

  /** Until the next window, in milliseconds. */
  get waitMs(): number {
    return windowMs - (this.#now() % windowMs);
  }

  #poolOf(holder: string): Pool {
    const window = Math.floor(this.#now() / windowMs);
    const known = this.#pools.get(holder);
    if (known?.window === window) return known;
    const { free = 0 } = this.#options;
    const left = free + Math.min(0, known?.left ?? 0);
    const pool = { window, left, refused: Number.POSITIVE_INFINITY };
    this.#pools.set(holder, pool);
    return pool;
  }

  /** Takes from the window until `amount` is there: a whole block, or where that is too much what is missing. */
  async #fill(holder: string, pool: Pool, amount: number): Promise<boolean> {
    const missing = Math.ceil(amount - pool.left);
    if (missing > pool.refused / 2) return false;
    const { name, perWindow, block, takeShare } = this.#options;
    // Of a debt beyond a whole window, as much as a window has.
    const minAmount = Math.min(missing, perWindow);
    for (const wanted of new Set([Math.min(Math.max(missing, block), perWindow), minAmount])) {
      const share = { holder: `${name}/${holder}`, window: pool.window, amount: wanted };
      if (await takeShare({ ...share, limit: perWindow })) {
        pool.left += wanted;
        // Others may have used some of it meanwhile.
        return pool.left >= amount;
      }
    }
    pool.refused = missing;
    return false;
  }
}

const maxWindows = 100_000;

/** Counts in this process alone. */
export function takeInMemory(): TakeShare {
  const taken = new LRUCache<string, number>({ max: maxWindows, ttl: 2 * windowMs });
  return async ({ holder, window, amount, limit }) => {
    const key = `${window}/${holder}`;
    const sum = (taken.get(key) ?? 0) + amount;
    if (sum > limit) return false;
    taken.set(key, sum);
    return true;
  };
}
