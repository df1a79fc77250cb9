// One worker for each shard of the queue, which goes through it in order whenever something may be there.
import type { Logger } from 'pino';
import { queueShards } from '../../functions/table/queued-command.ts';
import { Bell } from '../base/bell.ts';
import type { Changes } from '../base/change-watch.ts';
import type { Ledger, QueueEntry } from './ledger.ts';
import type { PublishWindow } from './publish-window.ts';
import { pauseBeforeRetry } from './retry.ts';

export interface QueueWorkersOptions {
  readonly ledger: Pick<Ledger, 'queued'>;
  /** Whether somebody may have put something into the queue. */
  readonly changes: Changes;
  readonly pollSeconds: number;
  /** False where a command has to stay in the queue for now, and with it all of its topic that follow. */
  readonly take: (entry: QueueEntry, window: PublishWindow) => Promise<boolean>;
  /** Ends them: nothing more is taken. */
  readonly signal: AbortSignal;
  readonly log: Logger;
}

export class QueueWorkers {
  /** Resolves when `signal` has aborted and nothing is being taken any more. */
  readonly done: Promise<unknown>;
  readonly #options: QueueWorkersOptions;
  readonly #bells = Array.from({ length: queueShards }, () => new Bell());
  /** Shards in which nothing was found when they were last looked at. */
  readonly #empty = new Set<number>();
  #window: PublishWindow | undefined;
  #waiting = 0;

  constructor(options: QueueWorkersOptions) {
    this.#options = options;
    const { changes, pollSeconds, signal } = options;
    this.done = Promise.all(this.#bells.map((bell, shard) => this.#work(shard, bell)));
    const poll = setInterval(() => this.#ringSome(), pollSeconds * 1000);
    const unsubscribe = changes.subscribe(() => this.ringAll());
    const end = () => {
      clearInterval(poll);
      unsubscribe();
      this.ringAll();
    };
    signal.addEventListener('abort', end, { once: true });
  }

  /** Commands that were found in the queue and are not taken yet. */
  get waiting(): number {
    return this.#waiting;
  }

  /** From now on this window gets what is in the queue, and what comes. */
  open(window: PublishWindow): void {
    this.#window = window;
    this.ringAll();
  }

  ring(shard: number): void {
    this.#bells[shard]?.ring();
  }

  ringAll(): void {
    for (const bell of this.#bells) bell.ring();
  }

  /** Where nobody has put anything since, what was empty is. */
  #ringSome(): void {
    for (const [shard, bell] of this.#bells.entries())
      if (this.#options.changes.areRecent || !this.#empty.has(shard)) bell.ring();
  }

  async #work(shard: number, bell: Bell): Promise<void> {
    const { signal, log } = this.#options;
    for (let failures = 0; !signal.aborted; ) {
      await bell.rung();
      try {
        if (this.#window !== undefined) await this.#workOff(shard, this.#window);
        failures = 0;
      } catch (error) {
        log.warn({ shard, reason: String(error) }, 'the queue cannot be worked on');
        await pauseBeforeRetry(failures++, signal);
        bell.ring();
      }
    }
  }

  /** Goes once through a shard. A closed window ends it: what comes later must not overtake what is to come again. */
  async #workOff(shard: number, window: PublishWindow): Promise<void> {
    const { ledger, take, signal } = this.#options;
    let after: QueueEntry['head'] | undefined;
    // Topics of which something stays in the queue for the next time: what follows must not overtake it.
    const held = new Set<string>();
    do {
      if (window.closed || signal.aborted) return;
      this.#empty.delete(shard);
      const page = await ledger.queued(shard, after);
      if (after === undefined && page.entries.length === 0) this.#empty.add(shard);
      after = page.next;
      let left = page.entries.length;
      this.#waiting += left;
      try {
        for (const entry of page.entries) {
          if (window.closed || signal.aborted) return;
          if (held.has(entry.topic)) continue;
          if (!(await take(entry, window))) held.add(entry.topic);
          left--;
          this.#waiting--;
        }
      } finally {
        this.#waiting -= left;
      }
    } while (after !== undefined);
  }
}
