// Who waits for what of a command: a caller that wants the broker's acknowledgement, or the device's answer.
import type { CommandStatus, Outcome, WaitFor } from '../../functions/contract/command.ts';

/** States only go forward; `answered`, `failed` and `expired` are final. */
const ranks: Record<CommandStatus, number> = {
  pending: 0,
  sent: 1,
  answered: 2,
  failed: 2,
  expired: 2,
};

/** Whether a command has reached what somebody waits for, or never will. */
function isReached(
  waitFor: WaitFor,
  { status, awaitsReply }: Pick<Outcome, 'status' | 'awaitsReply'>,
): boolean {
  if (status === 'sent' && awaitsReply === false) return true;
  return ranks[status] >= { none: 0, broker: 1, reply: 2 }[waitFor];
}

/** One command of one caller. */
export interface Waiter {
  readonly id: string;
  readonly waitFor: WaitFor;
  /** As far as it is known now. */
  readonly outcome: Outcome;
  /** Resolves when what it waits for is reached. */
  readonly reached: Promise<void>;
  end(): void;
}

interface Waiting {
  readonly waitFor: WaitFor;
  outcome: Outcome;
  readonly resolve: () => void;
}

export class Waiters {
  readonly #byId = new Map<string, Set<Waiting>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(id: string, waitFor: WaitFor): Waiter {
    const { promise, resolve } = deferred();
    const waiting: Waiting = { waitFor, outcome: { id, status: 'pending' }, resolve };
    const others = this.#byId.get(id);
    if (others === undefined) this.#byId.set(id, new Set([waiting]));
    else others.add(waiting);
    this.#size++;
    if (isReached(waitFor, { status: 'pending' })) resolve();
    return {
      id,
      waitFor,
      get outcome() {
        return waiting.outcome;
      },
      reached: promise,
      end: () => this.#remove(id, waiting),
    };
  }

  /** Tells what became of a command; what is older than what is known changes nothing. */
  tell(outcome: Outcome): void {
    for (const waiting of this.#byId.get(outcome.id) ?? []) {
      if (ranks[outcome.status] < ranks[waiting.outcome.status]) continue;
      waiting.outcome = outcome;
      if (isReached(waiting.waitFor, outcome)) waiting.resolve();
    }
  }

  /** Lets everybody go with what is known now. */
  releaseAll(): void {
    for (const all of this.#byId.values()) for (const { resolve } of all) resolve();
  }

  #remove(id: string, waiting: Waiting): void {
    const all = this.#byId.get(id);
    if (all?.delete(waiting)) this.#size--;
    if (all?.size === 0) this.#byId.delete(id);
  }
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
