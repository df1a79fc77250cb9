// Takes settled commands out of the queue, many in one call.
import type { Logger } from 'pino';
import { pause } from '../../functions/contract/pause.ts';
import type { Item } from '../../functions/table/item.ts';
import { type Ledger, maxRemovals } from './ledger.ts';
import { pauseBeforeRetry } from './retry.ts';

/** Beyond it removals are left out: the command is known as settled, and removed when it is seen again. */
const maxWaiting = 50_000;

export class Removals {
  readonly #ledger: Pick<Ledger, 'remove'>;
  readonly #log: Logger;
  readonly #stop = new AbortController();
  #waiting: Item[] = [];
  #removing: Promise<void> | undefined;

  constructor(ledger: Pick<Ledger, 'remove'>, log: Logger) {
    this.#ledger = ledger;
    this.#log = log;
  }

  add(keys: readonly Item[]): void {
    if (this.#waiting.length > maxWaiting) return;
    this.#waiting.push(...keys);
    this.#removing ??= this.#remove();
  }

  /** Resolves when nothing waits any more. */
  async done(): Promise<void> {
    await this.#removing;
  }

  close(): void {
    this.#stop.abort();
  }

  async #remove(): Promise<void> {
    // What settles in the same turn goes in the same call.
    await pause(1);
    for (let failures = 0; this.#waiting.length > 0 && !this.#stop.signal.aborted; ) {
      const keys = new Map<string, Item>();
      let taken = 0;
      for (const key of this.#waiting) {
        if (keys.size === maxRemovals) break;
        // A key twice would refuse the whole call.
        keys.set(`${key['pk']?.S} ${key['sk']?.S}`, key);
        taken++;
      }
      try {
        await this.#ledger.remove([...keys.values()]);
        this.#waiting = this.#waiting.slice(taken);
        failures = 0;
      } catch (error) {
        this.#log.warn({ reason: String(error) }, 'settled commands cannot leave the queue yet');
        const { signal } = this.#stop;
        await pauseBeforeRetry(failures++, signal);
      }
    }
    this.#removing = undefined;
  }
}
