// What became of commands: written into the ledger first, and told to those who wait after it.
import { setMaxListeners } from 'node:events';
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import type { DeliverRequest, Outcome } from '../../functions/contract/command.ts';
import { pause } from '../../functions/contract/pause.ts';
import type { LedgerEntry } from '../../functions/table/command-item.ts';
import type { CommandCounters } from '../metrics/command-metrics.ts';
import { Allowance } from './allowance.ts';
import { type Ledger, outcomeOf } from './ledger.ts';
import type { PublishResult } from './publish-window.ts';
import type { ReplyResult } from './replies.ts';
import { pauseBeforeRetry } from './retry.ts';
import { Waiters } from './waiters.ts';

/** Maximum states that are written at once; the SDK has 50 connections. */
const maxWrites = 40;
/** Commands remembered as settled: their queue items may still be there, or come again. */
const maxSettled = 20_000;

/** Maximum commands that callers wait for; beyond it they are told at once that it is pending, and ask again. */
const maxWaiters = 10_000;

export interface CommandStatesOptions {
  readonly ledger: Ledger;
  readonly counters: CommandCounters;
  readonly log: Logger;
}

export class CommandStates {
  readonly #waiters = new Waiters();
  readonly #options: CommandStatesOptions;
  readonly #abandon = new AbortController();
  readonly #writes = new Allowance(maxWrites);
  readonly #writing = new Set<Promise<boolean>>();
  readonly #settled = new LRUCache<string, true>({ max: maxSettled });

  constructor(options: CommandStatesOptions) {
    this.#options = options;
    setMaxListeners(0, this.#abandon.signal);
  }

  /** Whether the command needs no more publishing. */
  isSettled(id: string): boolean {
    return this.#settled.has(id);
  }

  /** The commands' outcomes in their order: when each has reached what is waited for, at the latest after the timeout. */
  async outcomes({ commands, timeoutMs }: DeliverRequest): Promise<Outcome[]> {
    const isFull = this.#waiters.size + commands.length > maxWaiters;
    const waiters = commands.map(({ id, waitFor }) =>
      this.#waiters.add(id, isFull ? 'none' : waitFor),
    );
    const over = new AbortController();
    await Promise.race([
      Promise.all(waiters.map(({ reached }) => reached)),
      pause(timeoutMs, over.signal),
    ]);
    over.abort('reached');
    for (const waiter of waiters) waiter.end();
    return waiters.map(({ outcome }) => outcome);
  }

  /** Whether the result is final, and safe in the ledger. */
  async recordResult(id: string, result: PublishResult): Promise<boolean> {
    const { ledger, log } = this.#options;
    const at = new Date().toISOString();
    switch (result.kind) {
      case 'sent':
        return this.#record('sent', id, () => ledger.markSent(id, at, result.hadSubscribers));
      case 'refused': {
        const error = { code: 'broker-refused', detail: result.reason };
        log.warn({ id, reason: result.reason }, 'command refused');
        return this.#record('failed', id, () => ledger.markFailed(id, error, at));
      }
      case 'expired':
        return this.#record('expired', id, () => ledger.markExpired(id, at));
      case 'offline':
      case 'unknown':
        return false;
    }
  }

  /** Whether the answer is safe in the ledger. */
  async recordReply(id: string, result: ReplyResult): Promise<boolean> {
    const { ledger } = this.#options;
    if (result.kind === 'reply')
      return this.#record('answered', id, () => ledger.markAnswered(id, result.reply));
    const detail = `the device answered with ${result.bytes} bytes`;
    const error = { code: 'reply-too-large', detail };
    const at = new Date().toISOString();
    return this.#record('failed', id, () => ledger.markFailed(id, error, at));
  }

  /** Writes down that the reply to a command is no longer awaited. */
  async recordNotAwaited(id: string): Promise<boolean> {
    return this.#record('not awaited', id, () => this.#options.ledger.markNotAwaited(id));
  }

  /** Tells those who wait what the ledger says now; gives its entries. None where it cannot be read. */
  async lookUp(ids: readonly string[]): Promise<readonly LedgerEntry[]> {
    try {
      const entries = await this.#options.ledger.get(ids);
      for (const entry of entries) this.#waiters.tell(outcomeOf(entry));
      return entries;
    } catch (error) {
      this.#options.log.warn({ reason: String(error) }, 'the ledger cannot be read');
      return [];
    }
  }

  /** Resolves when nothing is being written. */
  async done(): Promise<void> {
    await Promise.all(this.#writing);
  }

  /** Writes nothing more, and lets those go who wait. */
  abandon(): void {
    this.#abandon.abort();
    this.#waiters.releaseAll();
  }

  #record(
    result: keyof CommandCounters['results'] | 'not awaited',
    id: string,
    write: () => Promise<LedgerEntry | undefined>,
  ): Promise<boolean> {
    const writing = this.#write(result, id, write);
    this.#writing.add(writing);
    return writing.finally(() => this.#writing.delete(writing));
  }

  /** Writes a state until the database has it. False where it was given up. */
  async #write(
    result: keyof CommandCounters['results'] | 'not awaited',
    id: string,
    write: () => Promise<LedgerEntry | undefined>,
  ): Promise<boolean> {
    const { counters, log } = this.#options;
    const { signal } = this.#abandon;
    for (let failures = 0; !signal.aborted; failures++) {
      await this.#writes.take();
      try {
        const entry = await write();
        if (result === 'not awaited') counters.repliesNotAwaited++;
        else {
          counters.results[result]++;
          this.#settled.set(id, true);
        }
        if (entry !== undefined) this.#waiters.tell(outcomeOf(entry));
        return true;
      } catch (error) {
        log.warn({ id, reason: String(error) }, 'the state of a command cannot be written yet');
      } finally {
        this.#writes.give();
      }
      await pauseBeforeRetry(failures, signal);
    }
    return false;
  }
}
