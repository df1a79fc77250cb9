// A batch to the handler, in one request or several, and what each verdict means: go on, hold, or look for a culprit.
import type { Logger } from 'pino';
import type { Message } from '../../functions/contract/message.ts';
import type { Evaluator } from '../../functions/expression/evaluator.ts';
import type { RouteConfig } from '../config/config.ts';
import type { Verdict } from '../handler/verdict.ts';
import type { RouteMetrics } from '../metrics/metrics.ts';
import type { Unfinished } from './batcher.ts';
import { AdaptiveConcurrency } from './concurrency.ts';
import { probeOf, togetherAtFront } from './culprit.ts';
import type { DeadLettering } from './dead-lettering.ts';
import { Evaluating } from './evaluating.ts';
import type { Gate } from './gate.ts';
import type { HandlerCalls } from './handler-calls.ts';
import { Hold } from './hold.ts';
import { LoneFailures } from './lone-failures.ts';
import { type Outgoing, Round } from './outgoing.ts';
import { Settling } from './settling.ts';
import { Suspects } from './suspects.ts';
import type { Traces } from './traces.ts';

export interface RoundsOptions {
  readonly config: RouteConfig;
  readonly calls: HandlerCalls;
  readonly gate: Gate;
  readonly deadLettering: DeadLettering;
  readonly traces: Traces;
  /** Of the route's `where` and `transform`; absent where it has neither. */
  readonly evaluator?: Evaluator | undefined;
  readonly metrics: RouteMetrics;
  readonly log: Logger;
  /** Told for how long nothing more may be sent. */
  readonly onHold: (forMs: number) => void;
}

/** How much later than others messages go on whose turn is after them. */
const afterOthersMs = 5;

export class Rounds {
  readonly #options: RoundsOptions;
  readonly #calls: HandlerCalls;
  readonly #concurrency: AdaptiveConcurrency;
  readonly #hold: Hold;
  readonly #suspects: Suspects;
  readonly #lone: LoneFailures<Outgoing>;
  readonly #settling: Settling;
  readonly #evaluating: Evaluating | undefined;
  /** Whether the handler takes an empty batch, to say whether it is well. */
  #takesEmptyBatches: boolean;
  readonly #stopped = new AbortController();

  constructor(options: RoundsOptions) {
    const { config, deadLettering, metrics, evaluator } = options;
    this.#options = options;
    this.#calls = options.calls;
    this.#concurrency = new AdaptiveConcurrency(config.concurrency);
    this.#hold = new Hold(config.retry);
    this.#suspects = new Suspects(config.failingMessage);
    this.#lone = new LoneFailures(config.failingMessage.aloneSeconds);
    this.#takesEmptyBatches = config.ingest;
    this.#settling = new Settling({ config, deadLettering, suspects: this.#suspects, metrics });
    this.#evaluating =
      evaluator &&
      new Evaluating({
        ...options,
        evaluator,
        settling: this.#settling,
        counters: metrics.counters,
      });
  }

  /**
   * Requests that may be in flight now. While holding, one at a time finds out whether the handler is back. And while
   * messages are under suspicion, one at a time finds the culprit before the others, which speak for the handler,
   * have run out.
   */
  get limit(): number {
    return this.#hold.reason !== undefined || this.#suspects.areThere ? 1 : this.concurrencyLimit;
  }

  get concurrencyLimit(): number {
    return this.#concurrency.limit;
  }

  /** Why no messages go to the handler, or undefined while they do. */
  get holding(): string | undefined {
    return this.#hold.reason;
  }

  /** How long it has been so; 0 while they do. */
  get holdingMs(): number {
    return this.#hold.forMs;
  }

  /** Tries that failed since the handler takes nothing, and the time until the next one; 0 while one is in flight. */
  get holdTries(): { readonly tries: number; readonly waitMs: number } {
    return { tries: this.#hold.tries, waitMs: this.#hold.waitMs };
  }

  /** Messages that were delivered a second, over the last minute. */
  get deliveredPerSecond(): number {
    return this.#settling.deliveredPerSecond;
  }

  /** Asks the handler at once, as somebody says that it is mended. It holds until that is seen. */
  retryNow(): void {
    this.#hold.endWait();
  }

  /** Starts no more requests. */
  stop(): void {
    this.#stopped.abort();
  }

  /** A batch whose round broke down, which is a bug, is tried again in another. */
  async send(batch: readonly Outgoing[]): Promise<Unfinished<Outgoing>> {
    try {
      return await this.#forward(batch);
    } catch (error) {
      this.#options.log.error(error, 'a round of requests broke down');
      return { retry: batch.filter(({ isFinished }) => !isFinished), afterMs: 1000 };
    }
  }

  /** Sends a batch in one request or several, as far as the handler takes it. */
  async #forward(batch: readonly Outgoing[]): Promise<Unfinished<Outgoing>> {
    const round = new Round(batch);
    while (round.left.length > 0) {
      await this.#opened();
      if (this.#stopped.signal.aborted) return round.giveUp(0);
      const isHeld = this.#hold.reason !== undefined;
      if (isHeld && this.#hold.waitMs > 0) return round.giveUp(0);
      if (!isHeld && !this.#suspects.mayGo(round.left)) return round.giveUp(afterOthersMs);
      const probe = isHeld ? probeOf(round.left) : undefined;
      if (probe && this.#takesEmptyBatches && this.#suspects.lacksWitness(probe)) {
        if (await this.#bearsWitness()) continue;
        return round.giveUp(0);
      }
      const run =
        probe === undefined ? round.takeFront(togetherAtFront(round.left)) : round.take(probe);
      try {
        const waitMs = await (this.#evaluating
          ? this.#evaluateAndAsk(this.#evaluating, run, round)
          : this.#ask(run, round));
        if (waitMs !== undefined) return round.giveUp(waitMs);
      } catch (error) {
        this.#options.log.error(error, 'a request broke down: looking for its message');
        await this.#settling.isolate(round.undecided(run), breakReason(error), round);
      }
    }
    return round.giveUp(0);
  }

  /** As {@link #ask}, of what the route's expressions let pass. */
  async #evaluateAndAsk(
    evaluating: Evaluating,
    run: readonly Outgoing[],
    round: Round,
  ): Promise<number | undefined> {
    const wanted = await evaluating.evaluate(run, round);
    if (wanted.run.length === 0) return undefined;
    if (this.#options.gate.isOpen && !this.#stopped.signal.aborted)
      return this.#ask(wanted.run, round, wanted.bodies);
    round.putBack(wanted.run);
    return undefined;
  }

  /**
   * Asks the handler once: when the round may go on, or undefined where it goes on now. `bodies` are what it gets, where
   * that is not the messages themselves.
   */
  async #ask(
    run: readonly Outgoing[],
    round: Round,
    bodies?: readonly Message[],
  ): Promise<number | undefined> {
    const call = await this.#calls.ask(messagesOf(run), bodies);
    if (call === undefined) {
      // It may be another time to ask now.
      round.putBack(run);
      return undefined;
    }
    const { verdict, latencyMs, isSent } = call;
    if (isSent) for (const item of run) item.attempts++;
    switch (verdict.kind) {
      case 'answered':
        this.#concurrency.record('served', latencyMs);
        if (this.#hold.end()) this.#options.log.info('the handler takes messages again');
        if (verdict.failures.size < run.length) this.#lone.served(run);
        await this.#settling.settle(run, verdict, round);
        return undefined;
      case 'rejected':
        await this.#settling.reject(run, verdict, round);
        return undefined;
      case 'target refused':
        await this.#settling.refusedByTarget(run, verdict, round);
        return undefined;
      case 'gone':
        // The gate is closed now.
        round.putBack(run);
        return undefined;
      case 'hold':
        return this.#fail(run, verdict, latencyMs, round);
    }
  }

  /** After a request that failed: when its messages may be sent again, or undefined where the round goes on. */
  async #fail(
    run: readonly Outgoing[],
    verdict: Extract<Verdict, { kind: 'hold' }>,
    latencyMs: number,
    round: Round,
  ): Promise<number | undefined> {
    const [only] = run;
    if (this.#lone.failed(run, verdict.own === true, performance.now()) && only) {
      if (await this.#settling.giveUp(only, verdict.reason)) {
        this.#lone.gaveUp(only);
        return undefined;
      }
    }
    if (verdict.suspicious) this.#suspects.suspect(run);
    if (verdict.suspicious && only && run.length === 1 && this.#suspects.isIsolated(only)) {
      // It alone waits: that it fails says nothing of the handler any more.
      if (!(await this.#settling.giveUpCulprit(only, verdict.reason)))
        this.#settling.keep(run, round);
      return undefined;
    }
    if (verdict.overloaded) this.#concurrency.record('overloaded', latencyMs);
    this.#holdBack(verdict);
    this.#options.metrics.counters.retried += run.length;
    round.putBack(run);
    if (!verdict.suspicious) return 0;
    // The others go first, and tell whether it is the handler.
    return this.#hold.waitMs + afterOthersMs;
  }

  /**
   * Sends an empty batch, which our own ingest answers by whether it can store: where no other message comes, nobody
   * else speaks for it. False where it cannot, and holds back.
   */
  async #bearsWitness(): Promise<boolean> {
    const call = await this.#calls.ask([]);
    switch (call?.verdict.kind) {
      case 'answered':
        this.#suspects.witnessed();
        return true;
      case 'rejected':
        this.#takesEmptyBatches = false;
        return true;
      case 'hold':
        this.#holdBack(call.verdict);
        return false;
      default:
        return true;
    }
  }

  async #opened(): Promise<void> {
    const { gate } = this.#options;
    const { signal } = this.#stopped;
    while (!gate.isOpen && !signal.aborted) await gate.opened(signal);
  }

  #holdBack({ reason, retryAfterMs, broken }: Extract<Verdict, { kind: 'hold' }>): void {
    if (this.#hold.reason !== reason) {
      const level = broken ? 'error' : 'warn';
      this.#options.log[level](
        { condition: 'holding', reason },
        'holding: the handler takes no messages',
      );
    }
    this.#hold.begin(reason, retryAfterMs);
    this.#options.onHold(this.#hold.waitMs);
  }
}

/** Of a fault of our own. Errors of JSON.stringify and Buffer do not repeat what is in a message. */
export function breakReason(error: unknown): string {
  return `the bridge fails on it: ${error instanceof Error ? `${error.name}: ${error.message}` : error}`;
}

function messagesOf(run: readonly Outgoing[]): Message[] {
  return run.map(({ delivery }) => delivery.message);
}
