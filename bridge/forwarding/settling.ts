// What becomes of the messages of a request: settled, made a dead letter, or tried again.
import { fullJitterMs } from '../../functions/contract/backoff.ts';
import type { RouteConfig } from '../config/config.ts';
import type { Verdict } from '../handler/verdict.ts';
import type { RouteMetrics } from '../metrics/metrics.ts';
import type { DeadLettering } from './dead-lettering.ts';
import type { Outgoing, Round } from './outgoing.ts';
import { RecentRate } from './recent-rate.ts';
import type { Suspects } from './suspects.ts';
import type { TargetVerdict } from './targets.ts';

export interface SettlingOptions {
  readonly config: Pick<RouteConfig, 'retry' | 'rejectTries'>;
  readonly deadLettering: DeadLettering;
  readonly suspects: Suspects;
  readonly metrics: RouteMetrics;
}

/** Times that something may be thrown on the way of one message. */
const breaksBeforeDeadLetter = 3;

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

  /** Settles what is stored, makes a dead letter of what never will be, and keeps the rest. */
  async settle(
    run: readonly Outgoing[],
    { failures, duplicates }: Extract<Verdict, { kind: 'answered' }>,
    round: Round,
  ): Promise<void> {
    const { metrics } = this.#options;
    metrics.counters.duplicates += duplicates;
    const [first] = run;
    if (first !== undefined) metrics.acknowledged(performance.now() - first.arrivedMs);
    const failureOf = (item: Outgoing) => failures.get(item.delivery.message.id);
    const stored = failures.size === 0 ? run : run.filter((item) => failureOf(item) === undefined);
    // By index: in an async function V8 makes an object for each step of for…of.
    for (let index = 0; index < stored.length; index++) {
      const item = stored[index] as Outgoing;
      item.isFinished = true;
      item.delivery.settle();
    }
    this.#options.suspects.clear(stored);
    metrics.counters.delivered += stored.length;
    this.#delivered.add(stored.length);
    if (failures.size === 0) return;
    const failed = run.filter((item) => failureOf(item) !== undefined);
    const isSafe = await Promise.all(
      failed.map((item) => {
        const { retryable, reason = 'no reason given' } = failureOf(item) ?? {};
        if (retryable === false) return this.#giveUp(item, reason);
        this.#options.suspects.name(item);
        return this.giveUpCulprit(item, reason);
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
    { reason, final }: Pick<Extract<Verdict, { kind: 'rejected' }>, 'reason' | 'final'>,
    round: Round,
  ): Promise<void> {
    const [only, ...others] = run;
    if (only === undefined) return;
    if (others.length > 0) {
      for (const item of run) item.maxBatchSize = Math.ceil(run.length / 2);
      return round.putBack(run);
    }
    only.refusals++;
    this.#options.suspects.forget(only);
    const isEnough = final === true || only.refusals >= this.#options.config.rejectTries;
    if (!isEnough || !(await this.#giveUp(only, reason))) this.keep(run, round);
  }

  /** A message that the route's own expressions fail on: no handler is asked about it. */
  async refuse(item: Outgoing, reason: string, round: Round): Promise<void> {
    this.#options.suspects.forget(item);
    if (!(await this.#giveUp(item, reason))) this.keep([item], round);
  }

  /**
   * After something was thrown, which is a fault of the bridge: the message that brings it about is searched for as one
   * that is rejected, and tried a few times by itself, as it may have been a want of memory.
   */
  async isolate(run: readonly Outgoing[], reason: string, round: Round): Promise<void> {
    const [only, ...others] = run;
    if (only !== undefined && others.length === 0 && ++only.breaks < breaksBeforeDeadLetter)
      return this.keep(run, round);
    await this.reject(run, { reason, final: true }, round);
  }

  /** A message whose own URL refuses it waits for a while, or becomes a dead letter. */
  async refusedByTarget(
    run: readonly Outgoing[],
    { reason, isGivenUp, minWaitMs, maxWaitMs }: TargetVerdict,
    round: Round,
  ): Promise<void> {
    for (const item of run) {
      this.#options.suspects.forget(item);
      const isSafe = isGivenUp && (await this.#giveUp(item, reason));
      if (!isSafe) this.keep([item], round, isGivenUp ? undefined : { minWaitMs, maxWaitMs });
    }
  }

  /** Whether a message that fails while others succeed was the culprit, and is safe among the dead letters. */
  async giveUpCulprit(item: Outgoing, reason: string): Promise<boolean> {
    if (!this.#options.suspects.isCulprit(item)) return false;
    return this.#giveUp(item, `${reason}, while other messages are taken`);
  }

  /** Whether a message is safe among the dead letters that the handler fails on. */
  giveUp(item: Outgoing, reason: string): Promise<boolean> {
    return this.#giveUp(item, `${reason}, to it alone`);
  }

  async #giveUp(item: Outgoing, reason: string): Promise<boolean> {
    const isSafe = await this.#options.deadLettering.put(item, reason);
    if (isSafe) {
      item.isFinished = true;
      this.#options.suspects.forget(item);
    }
    return isSafe;
  }

  /** Tries messages again after a while, by the one that was tried most often; some, too, where none was yet. */
  keep(
    items: readonly Outgoing[],
    round: Round,
    { minWaitMs = 0, maxWaitMs = Number.POSITIVE_INFINITY } = {},
  ): void {
    if (items.length === 0) return;
    const { baseMs, capMs } = this.#options.config.retry;
    const tries = Math.max(1, ...items.map(({ attempts }) => attempts));
    this.#options.metrics.counters.retried += items.length;
    const waitMs = Math.max(minWaitMs, fullJitterMs(tries, baseMs, capMs));
    round.keep(items, Math.min(waitMs, maxWaitMs));
  }
}
