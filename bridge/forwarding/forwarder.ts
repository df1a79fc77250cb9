// A route's messages from their delivery on: into lanes and batches, to the handler or to the dead letters, until drained.
import type { Logger } from 'pino';
import type { Evaluator } from '../../functions/expression/evaluator.ts';
import { untilAborted } from '../base/aborted.ts';
import type { Delivery, StreamedDelivery } from '../base/delivery.ts';
import type { RouteConfig } from '../config/config.ts';
import { hasPlaceholders } from '../config/url-template.ts';
import type { DeadLetterStore } from '../dead-letters/dead-letter-store.ts';
import { tooLarge } from '../handler/message-formats.ts';
import type { Sink } from '../handler/sink.ts';
import type { Account } from '../memory/budget.ts';
import type { RouteMetrics } from '../metrics/metrics.ts';
import { Batcher } from './batcher.ts';
import { DeadLettering } from './dead-lettering.ts';
import type { Gate } from './gate.ts';
import { HandlerCalls, type LastError, type OnCall } from './handler-calls.ts';
import { lingerAt } from './linger.ts';
import { type HeldByTopic, NoisyTopic } from './noisy-topic.ts';
import { brokenDelivery, Outgoing } from './outgoing.ts';
import type { RequestSpans } from './request-spans.ts';
import { breakReason, Rounds } from './rounds.ts';
import { Targets } from './targets.ts';
import type { Traces } from './traces.ts';

export interface ForwarderOptions {
  readonly config: RouteConfig;
  readonly sink: Sink;
  /** Of the route's `where` and `transform`; absent where it has neither. */
  readonly evaluator?: Evaluator | undefined;
  readonly gate: Gate;
  readonly deadLetters: DeadLetterStore;
  /** Of the route, for requests and dead letters on their way. */
  readonly memory: Account;
  readonly metrics: RouteMetrics;
  readonly traces: Traces;
  readonly log: Logger;
  /** Told of each request to the handler. Absent where nobody looks on. */
  readonly onCall?: OnCall | undefined;
  /** Absent where no spans are collected. */
  readonly spans?: RequestSpans | undefined;
  /** Whether no message can come before some of those that are here are settled, as a window is full. */
  readonly isStalled: () => boolean;
  /** Messages that the broker has no PUBACK for. */
  readonly unacknowledged: () => number;
}

/** Characters of a topic in log and status. */
const maxToldTopic = 256;

export class Forwarder {
  readonly #options: ForwarderOptions;
  readonly #batcher: Batcher<Outgoing>;
  readonly #calls: HandlerCalls;
  readonly #rounds: Rounds;
  readonly #deadLettering: DeadLettering;
  readonly #noisyTopic: NoisyTopic;

  constructor(options: ForwarderOptions) {
    const { config, metrics } = options;
    const { maxBatch, maxBatchBytes } = config;
    this.#options = options;
    const afterMs = config.failingMessage.afterSeconds * 1000;
    const targets = hasPlaceholders(config.url) ? new Targets(afterMs) : undefined;
    this.#calls = new HandlerCalls({ ...options, targets });
    this.#deadLettering = new DeadLettering({ ...options, counters: metrics.counters });
    this.#rounds = new Rounds({
      ...options,
      calls: this.#calls,
      deadLettering: this.#deadLettering,
      onHold: (forMs) => this.#batcher.hold(forMs),
    });
    this.#batcher = new Batcher<Outgoing>({
      maxBatch,
      maxBatchBytes,
      lingerMs: () => lingerAt(this.#rounds.deliveredPerSecond, config),
      isStalled: options.isStalled,
      limit: () => this.#rounds.limit,
      send: (batch) => this.#rounds.send(batch),
    });
    this.#noisyTopic = new NoisyTopic({
      window: {
        messages: config.window * config.connections,
        bytes: config.maxWindowBytes * config.connections,
      },
      held: () => this.#batcher.held(),
      unacknowledged: options.unacknowledged,
      isFull: options.isStalled,
      isFlowing: () => options.gate.isOpen && this.#rounds.holding === undefined,
      onNoisy: ({ topic, ...held }) =>
        options.log.warn(
          { topic: topic.slice(0, maxToldTopic), ...held },
          'a topic holds half of the window, and all others wait behind it: give it a route of its own',
        ),
    });
    this.#noisyTopic.start();
    options.gate.onRetry(() => {
      targets?.retryNow();
      this.#rounds.retryNow();
      this.#batcher.retryNow();
    });
  }

  /** Why no messages go to the handler, or undefined while they do. */
  get holding(): string | undefined {
    return this.#rounds.holding;
  }

  /** How long it has been so; 0 while they do. */
  get holdingMs(): number {
    return this.#rounds.holdingMs;
  }

  /** Tries that failed since the handler takes nothing, and the time until the next one; 0 while one is in flight. */
  get holdTries(): { readonly tries: number; readonly waitMs: number } {
    return this.#rounds.holdTries;
  }

  get inFlightRequests(): number {
    return this.#calls.inFlight;
  }

  get concurrencyLimit(): number {
    return this.#rounds.concurrencyLimit;
  }

  /** What was last wrong with the handler or with a message; undefined where nothing ever was. */
  get lastError(): LastError | undefined {
    return this.#calls.lastError;
  }

  /** Messages that were delivered a second, over the last minute. */
  get deliveredPerSecond(): number {
    return this.#rounds.deliveredPerSecond;
  }

  /** The topic that all others of the route wait behind; undefined where none has, for ten seconds. */
  get noisyTopic(): HeldByTopic | undefined {
    const noisy = this.#noisyTopic.current();
    return noisy && { ...noisy, topic: noisy.topic.slice(0, maxToldTopic) };
  }

  add(delivery: Delivery): void {
    let item: Outgoing;
    try {
      item = new Outgoing(delivery);
    } catch (error) {
      return this.#deadLettering.divert({ delivery, attempts: 0 }, breakReason(error));
    }
    const fault = brokenDelivery(delivery);
    if (fault === undefined) this.#batcher.add(item);
    else this.#deadLettering.divert(item, fault);
  }

  /** A message that is larger than a request: no handler is asked about it. */
  addStreamed(delivery: StreamedDelivery): void {
    const { maxBatchBytes } = this.#options.config;
    const reason = brokenDelivery(delivery) ?? tooLarge(delivery.payloadBytes, maxBatchBytes);
    this.#deadLettering.divertStreamed(delivery, reason);
  }

  /** To be called when {@link ForwarderOptions.isStalled} may have become true. */
  stalled(): void {
    this.#batcher.stalled();
  }

  /** Sends what is there until `signal` aborts, and then gives the rest back to the broker; at once while paused. */
  async drain(signal: AbortSignal): Promise<void> {
    const sent = Promise.race([this.#batcher.drain(), this.#calls.closedAndIdle()]);
    await Promise.race([Promise.all([sent, this.#deadLettering.diverted()]), untilAborted(signal)]);
    this.#rounds.stop();
    this.#noisyTopic.stop();
    this.#deadLettering.stop();
    this.#batcher.discard();
  }
}
