// The states that a route has had: one entry for each change, for a day and so many at most.
import type { RouteStateChange } from '../../functions/contract/route-history.ts';
import type { StateParts } from './route-status.ts';

const keptMs = 86_400_000;

export class StateHistory {
  readonly #max: number;
  /** The oldest first. */
  readonly #changes: RouteStateChange[] = [];
  #since: string | undefined;

  constructor(max: number) {
    this.#max = max;
  }

  /** Takes note of the state, where it is another one. */
  look({ state, reason, since, by }: StateParts, nowMs = Date.now()): void {
    const before = this.#changes.at(-1)?.state;
    const isNew = since !== this.#since;
    this.#since = since;
    if (state === before) return;
    this.#changes.push({
      at: new Date(nowMs).toISOString(),
      state,
      ...(before !== undefined && { before }),
      ...(reason !== undefined && { reason }),
      // A hold or recovery later on is nobody's doing.
      ...(isNew && before !== undefined && by !== undefined && { by }),
    });
    if (this.#changes.length > this.#max) this.#changes.shift();
    while (Date.parse(this.#changes[1]?.at ?? '') < nowMs - keptMs) this.#changes.shift();
  }

  /** The newest first; the oldest may have begun before the day that is kept. */
  all(): RouteStateChange[] {
    return this.#changes.toReversed();
  }
}
