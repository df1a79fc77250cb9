// What each authenticated request carries through the api.

import type { ReadBudget } from '../../table/read-budget.ts';
import type { Principal } from './principal.ts';

/** A wait that has been granted. */
export interface Wait {
  /** Ends it: the rest of its time is free again. */
  end(): void;
}

/** What one request may spend. */
export interface Spending {
  readonly budget: ReadBudget;
  /** Takes what so many commands cost in a body of so many bytes; resolves with the answer where that is too much. */
  writes(commands: number, bodyBytes: number): Promise<Response | undefined>;
  /** Takes the time; undefined where callers wait already as long as they may. */
  wait(seconds: number): Promise<Wait | undefined>;
  /** The request is answered: what it held in memory is free again. */
  end(): void;
}

/** What Hono's context carries for each authenticated request. */
export interface ApiEnvironment {
  readonly Variables: {
    principal: Principal;
    /** Whether the token is good still: for answers that stay open. */
    isStillAllowed?: () => Promise<boolean>;
    /** What the request may spend; absent where nobody counts. */
    spending?: Spending;
  };
}
