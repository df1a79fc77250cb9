// What becomes of the messages of a request: settled, quarantined, or kept for another try.
import { fullJitterMs } from '../../functions/contract/backoff.ts';
import type { RouteConfig } from '../config.ts';
import type { Verdict } from '../handler/verdict.ts';
import type { RouteMetrics } from '../metrics.ts';
import type { Outgoing, Round } from './outgoing.ts';
import type { Quarantining } from './quarantining.ts';
import { RecentRate } from './recent-rate.ts';
import type { Suspects } from './suspects.ts';

export interface SettlingOptions {
  readonly config: Pick<RouteConfig, 'retry' | 'rejectTries'>;
  readonly quarantining: Quarantining;
  readonly suspects: Suspects;
  readonly metrics: RouteMetrics;
}

export class Settling {
  readonly #options: SettlingOptions;
  readonly #delivered = new RecentRate();

  constructor(options: SettlingOptions) {
    this.#options = options;
  }

  /** Messages that were delivered a second, over the last minute. */
  get deliveredPerSecond(): number {
    return this.#delivered.perSecond();
  }

  /** Settles what is stored, quarantines what never will be, and keeps the rest. */
  async settle(
    run: readonly Outgoing[],
    { failures, duplicates }: Extract<Verdict, { kind: 'answered' }>,
    round: Round,
  ): Promise<void> {
    const { metrics } = this.#options;
    metrics.counters.duplicates += duplicates;
    const [first] = run;
    if (first !== undefined)
      metrics.acknowledged(Date.now() - Date.parse(first.delivery.message.time));
    const failureOf = (item: Outgoing) => failures.get(item.delivery.message.id);
    const stored = failures.size === 0 ? run : run.filter((item) => failureOf(item) === undefined);
    for (const { delivery } of stored) delivery.settle();
    this.#options.suspects.acquit(stored);
    metrics.counters.delivered += stored.length;
    this.#delivered.add(stored.length);
    if (failures.size === 0) return;
    const failed = run.filter((item) => failureOf(item) !== undefined);
    const isSafe = await Promise.all(
      failed.map((item) => {
        const { retryable, reason = 'no reason given' } = failureOf(item) ?? {};
        if (retryable === false) return this.#quarantine(item, reason);
        this.#options.suspects.name(item);
        return this.quarantineCulprit(item, reason);
      }),
    );
    this.keep(
      failed.filter((_, index) => isSafe[index] !== true),
      round,
    );
  }

  /** Splits a rejected batch until the culprit stands alone. */
  async reject(
    run: readonly Outgoing[],
    { reason, final }: Extract<Verdict, { kind: 'rejected' }>,
    round: Round,
  ): Promise<void> {
    const [only, ...others] = run;
    if (only === undefined) return;
    if (others.length > 0) {
      for (const item of run) item.mostTogether = Math.ceil(run.length / 2);
      return round.putBack(run);
    }
    only.refusals++;
    this.#options.suspects.forget(only);
    const isEnough = final === true || only.refusals >= this.#options.config.rejectTries;
    if (!isEnough || !(await this.#quarantine(only, reason))) this.keep(run, round);
  }

  /** Whether a message that fails while others succeed was the culprit, and is safe in the quarantine. */
  async quarantineCulprit(item: Outgoing, reason: string): Promise<boolean> {
    if (!this.#options.suspects.isCulprit(item)) return false;
    return this.#quarantine(item, `${reason}, while other messages are taken`);
  }

  async #quarantine(item: Outgoing, reason: string): Promise<boolean> {
    const isSafe = await this.#options.quarantining.put(item, reason);
    if (isSafe) this.#options.suspects.forget(item);
    return isSafe;
  }

  /** Tries messages again after a while, by the one that was tried most often; some, too, where none was yet. */
  keep(items: readonly Outgoing[], round: Round): void {
    if (items.length === 0) return;
    const { baseMs, capMs } = this.#options.config.retry;
    const tries = Math.max(1, ...items.map(({ attempts }) => attempts));
    this.#options.metrics.counters.retried += items.length;
    round.keep(items, fullJitterMs(tries, baseMs, capMs));
  }
}
