// From a delivery to its settlement: batches to the handler, and what each verdict means for the messages.
import type { Logger } from 'pino';
import type { Message } from '../../functions/contract/message.ts';
import { untilAborted } from '../aborted.ts';
import type { RouteConfig } from '../config.ts';
import type { Delivery } from '../delivery.ts';
import type { Sink } from '../handler/sink.ts';
import type { Verdict } from '../handler/verdict.ts';
import type { RouteMetrics } from '../metrics.ts';
import type { Quarantine } from '../quarantine/quarantine.ts';
import type { Gate } from '../routes/route-gate.ts';
import { Batcher, type Unfinished } from './batcher.ts';
import { AdaptiveConcurrency } from './concurrency.ts';
import { probeOf, togetherAtFront } from './culprit.ts';
import { HandlerCalls, type LastError } from './handler-calls.ts';
import { Hold } from './hold.ts';
import { brokenTopic, type Outgoing, outgoingOf, Round } from './outgoing.ts';
import { Quarantining } from './quarantining.ts';
import { Settling } from './settling.ts';
import { Suspects } from './suspects.ts';
import type { Traces } from './traces.ts';

export interface ForwarderOptions {
  readonly config: RouteConfig;
  readonly sink: Sink;
  readonly gate: Gate;
  readonly quarantine: Quarantine;
  readonly metrics: RouteMetrics;
  readonly traces: Traces;
  readonly log: Logger;
}

/** How much later than others messages go on whose turn is after them. */
const afterOthersMs = 5;

export class Forwarder {
  readonly #options: ForwarderOptions;
  readonly #batcher: Batcher<Outgoing>;
  readonly #concurrency: AdaptiveConcurrency;
  readonly #calls: HandlerCalls;
  readonly #hold: Hold;
  readonly #suspects: Suspects;
  readonly #quarantining: Quarantining;
  readonly #settling: Settling;
  readonly #stopped = new AbortController();
  #arrivals = 0;

  constructor(options: ForwarderOptions) {
    const { config, metrics } = options;
    const { maxBatch, maxBatchBytes, lingerMs, concurrency } = config;
    this.#options = options;
    this.#concurrency = new AdaptiveConcurrency(concurrency);
    this.#calls = new HandlerCalls(options);
    this.#hold = new Hold(config.retry);
    this.#suspects = new Suspects(config.failingMessage);
    this.#quarantining = new Quarantining({ ...options, counters: metrics.counters });
    this.#settling = new Settling({
      config,
      quarantining: this.#quarantining,
      suspects: this.#suspects,
      metrics,
    });
    this.#batcher = new Batcher<Outgoing>({
      maxBatch,
      maxBatchBytes,
      lingerMs,
      // While holding, one request at a time finds out whether the handler is back. And while messages are under
      // suspicion, one at a time finds the culprit before the others, which speak for the handler, have run out.
      limit: () =>
        this.#hold.reason !== undefined || this.#suspects.areThere ? 1 : this.#concurrency.limit,
      send: (batch) => this.#forward(batch),
    });
  }

  /** Why no messages go to the handler, or undefined while they do. */
  get holding(): string | undefined {
    return this.#hold.reason;
  }

  /** How long it has been so; 0 while they do. */
  get holdingMs(): number {
    return this.#hold.forMs;
  }

  get inFlightRequests(): number {
    return this.#calls.inFlight;
  }

  get concurrencyLimit(): number {
    return this.#concurrency.limit;
  }

  /** What was last wrong with the handler or with a message; undefined where nothing ever was. */
  get lastError(): LastError | undefined {
    return this.#calls.lastError;
  }

  /** Messages that were delivered a second, over the last minute. */
  get deliveredPerSecond(): number {
    return this.#settling.deliveredPerSecond;
  }

  add(delivery: Delivery): void {
    const item = outgoingOf(delivery, this.#arrivals++);
    const fault = brokenTopic(item.topic);
    if (fault === undefined) this.#batcher.add(item);
    else this.#quarantining.divert(item, `the broker sent a topic that ${fault}`);
  }

  /** Sends what is there until `signal` aborts, and then gives the rest back to the broker; at once while paused. */
  async drain(signal: AbortSignal): Promise<void> {
    const sent = Promise.race([this.#batcher.drain(), this.#calls.closedAndIdle()]);
    await Promise.race([Promise.all([sent, this.#quarantining.diverted()]), untilAborted(signal)]);
    this.#stopped.abort();
    this.#quarantining.stop();
    this.#batcher.discard();
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
      const run =
        probe === undefined ? round.takeFront(togetherAtFront(round.left)) : round.take(probe);
      const { verdict, latencyMs, isSent } = await this.#calls.ask(messagesOf(run));
      if (isSent) for (const item of run) item.attempts++;
      switch (verdict.kind) {
        case 'answered':
          this.#concurrency.record('served', latencyMs);
          if (this.#hold.end()) this.#options.log.info('the handler takes messages again');
          await this.#settling.settle(run, verdict, round);
          break;
        case 'rejected':
          await this.#settling.reject(run, verdict, round);
          break;
        case 'gone':
          // The gate is closed now.
          round.putBack(run);
          break;
        case 'hold': {
          const waitMs = await this.#fail(run, verdict, latencyMs, round);
          if (waitMs !== undefined) return round.giveUp(waitMs);
        }
      }
    }
    return round.giveUp(0);
  }

  /** After a request that failed: when its messages may be sent again, or undefined where the round goes on. */
  async #fail(
    run: readonly Outgoing[],
    verdict: Extract<Verdict, { kind: 'hold' }>,
    latencyMs: number,
    round: Round,
  ): Promise<number | undefined> {
    const [only] = run;
    if (verdict.suspicious) this.#suspects.accuse(run);
    if (verdict.suspicious && only && run.length === 1 && this.#suspects.isIsolated(only)) {
      // It alone waits: that it fails says nothing of the handler any more.
      if (!(await this.#settling.quarantineCulprit(only, verdict.reason)))
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

  async #opened(): Promise<void> {
    const { gate } = this.#options;
    const { signal } = this.#stopped;
    while (!gate.isOpen && !signal.aborted) await gate.opened(signal);
  }

  #holdBack({ reason, retryAfterMs, broken }: Extract<Verdict, { kind: 'hold' }>): void {
    if (this.#hold.reason !== reason) {
      const level = broken ? 'error' : 'warn';
      this.#options.log[level]({ reason }, 'holding: the handler takes no messages');
    }
    this.#hold.begin(reason, retryAfterMs);
    this.#batcher.hold(this.#hold.waitMs);
  }
}

function messagesOf(run: readonly Outgoing[]): Message[] {
  return run.map(({ delivery }) => delivery.message);
}
