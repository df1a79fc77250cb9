// What a request spends of what belongs to all: writes, reads, and time that it holds an instance; by whom.
import type { MiddlewareHandler } from 'hono';
import { problem, problemResponse } from '../../contract/problem.ts';
import { ReadBudget } from '../../table/read-budget.ts';
import { Allowance, type TakeShare, windowMs } from './allowance.ts';
import type { ApiEnvironment, Spending } from './api-environment.ts';
import type { Limits } from './limits.ts';

/** Read units that one request may use; its last query may go beyond, by 1 MB. */
export const maxReadUnits = 256;

/**
 * Read units of a caller in a window that an instance does not write down: most callers need no more. What is above is
 * taken before the next query. So a caller reads no more in a window than its limit and, for each instance that it
 * meets, these and what is read at once: a query (128 units for 1 MB, 256 where it has to be consistent), with the
 * chunks of one message, or the newest messages of 25 topics.
 */
export const freeReadUnits = 64;
/** Taken at once: a write for so many reads. */
const readUnitsBlock = 256;
const commandsBlock = 50;
const waitSecondsBlock = 2;

/**
 * Bytes of segments without an index that all requests of a process may hold at once; with their topics they take a few times
 * as much. One alone holds less: see log-view.ts.
 */
const maxHeldBytes = 128 * 1024 * 1024;

/** Bytes of a request body that count as one command more: they are written twice, and deleted once. */
const bytesOfCommand = 4096;

export const refuseWait = () => tooMany('too many requests wait already', windowMs);

export interface Allowances {
  of(caller: string): Spending;
  /** The answer to a caller that has read more than it may, or undefined. */
  refusal(caller: string): Promise<Response | undefined>;
}

export function createAllowances(
  limits: Omit<Limits, 'callerRequestsPerSecond'>,
  takeShare: TakeShare,
  now: () => number = Date.now,
): Allowances {
  let heldBytes = 0;
  const windowSeconds = windowMs / 1000;
  const allowance = (name: string, perSecond: number, block: number, free = 0) =>
    new Allowance({ name, perWindow: perSecond * windowSeconds, block, free, takeShare, now });
  const commands = allowance('commands', limits.callerCommandsPerSecond, commandsBlock);
  const reads = allowance('reads', limits.callerReadUnitsPerSecond, readUnitsBlock, freeReadUnits);
  // Seconds of waiting a second are requests that wait at a time. Who waits takes a whole window's time at least, so that
  // short waits at the same moment count as so many, and gets back what it did not need, for its next wait.
  const waits = allowance('waits', limits.callerWaitingRequests, waitSecondsBlock);
  const allWaits = allowance('all waits', limits.waitingRequests, waitSecondsBlock);

  /** Takes what has been read beyond what was taken: nothing, for a light reader. */
  const mayRead = async (caller: string) => (await reads.take(caller, 0)) !== undefined;

  function holding(): Pick<Spending, 'end'> & { mayHold(bytes: number): boolean } {
    let own = 0;
    let isOver = false;
    return {
      mayHold(bytes) {
        if (isOver || heldBytes + bytes > maxHeldBytes) return false;
        own += bytes;
        heldBytes += bytes;
        return true;
      },
      end() {
        isOver = true;
        heldBytes -= own;
        own = 0;
      },
    };
  }

  function spendingOf(caller: string): Spending {
    const { mayHold, end } = holding();
    return {
      end,
      budget: new ReadBudget(maxReadUnits, {
        book: (units) => reads.book(caller, units),
        mayRead: () => mayRead(caller),
        mayHold,
      }),
      async writes(count, bodyBytes) {
        const amount = count + Math.floor(bodyBytes / bytesOfCommand);
        if (amount > commands.perWindow) return tooManyEver(commands.perWindow);
        return (await commands.take(caller, amount)) === undefined
          ? tooMany('too many commands', commands.waitMs)
          : undefined;
      },
      async wait(seconds) {
        const amount = Math.max(seconds, windowSeconds);
        const own = await waits.take(caller, amount);
        const ofAll = own && (await allWaits.take('', amount));
        if (ofAll === undefined) {
          own?.giveBack(amount);
          return undefined;
        }
        const startedMs = now();
        return {
          end() {
            const unused = Math.max(0, amount - (now() - startedMs) / 1000);
            own?.giveBack(unused);
            ofAll.giveBack(unused);
          },
        };
      },
    };
  }

  return {
    of: spendingOf,
    async refusal(caller) {
      return (await mayRead(caller)) ? undefined : tooMany('too much was read', reads.waitMs);
    },
  };
}

/** Spends as much as it likes: where nobody counts. */
export function unlimited(): Spending {
  return {
    budget: new ReadBudget(maxReadUnits),
    writes: async () => undefined,
    wait: async () => ({ end: () => undefined }),
    end: () => undefined,
  };
}

/** Gives each request what its caller may spend. */
export function chargeCallers(allowances: Allowances): MiddlewareHandler<ApiEnvironment> {
  return async (context, next) => {
    const { id } = context.get('principal');
    const refused = await allowances.refusal(id);
    if (refused !== undefined) return refused;
    const spending = allowances.of(id);
    context.set('spending', spending);
    try {
      return await next();
    } finally {
      spending.end();
    }
  };
}

function tooMany(detail: string, waitMs: number): Response {
  const seconds = Math.max(1, Math.ceil(waitMs / 1000));
  return problemResponse(problem('rate-limited', detail), { 'retry-after': String(seconds) });
}

/** However long the caller waits, it would not fit. */
function tooManyEver(maxCommands: number): Response {
  const rule = `must have at most ${maxCommands} commands, counting every 4 KB as one more: api.callerCommandsPerSecond allows no more in ten seconds`;
  return problemResponse(problem('invalid-request', undefined, [{ field: '', rule }]));
}
