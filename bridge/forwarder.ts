// From a delivery to its settlement: batches to the sink, and what each verdict means for the messages.
import type { Logger } from 'pino';
import { fullJitterMs } from '../functions/contract/backoff.ts';
import { encodeBatch, estimateEnvelopeBytes } from '../functions/contract/envelope.ts';
import { topicFault } from '../functions/contract/topic.ts';
import { untilAborted } from './aborted.ts';
import { type Batchable, Batcher, type Unfinished } from './batcher.ts';
import { AdaptiveConcurrency } from './concurrency.ts';
import type { RouteConfig } from './config.ts';
import type { Delivery } from './delivery.ts';
import type { Sink } from './handler/sink.ts';
import type { Verdict } from './handler/verdict.ts';
import type { RouteMetrics } from './metrics.ts';
import type { Quarantine } from './quarantine.ts';

export interface ForwarderOptions {
  readonly config: RouteConfig;
  readonly sink: Sink;
  readonly quarantine: Quarantine;
  readonly metrics: RouteMetrics;
  readonly log: Logger;
}

/** A delivery on its way to the handler. */
interface Outgoing extends Batchable {
  readonly delivery: Delivery;
  /** How often the handler was asked. */
  attempts: number;
}

const idOf = ({ delivery }: Outgoing) => delivery.message.id;

const retryBaseMs = 100;
const retryCapMs = 30_000;

export class Forwarder {
  readonly #options: ForwarderOptions;
  readonly #batcher: Batcher<Outgoing>;
  readonly #concurrency: AdaptiveConcurrency;
  #holding: string | undefined;
  #holdingSinceMs = 0;
  #arrivals = 0;
  #failedInARow = 0;
  #heldUntilMs = 0;
  /** Messages on their way to the quarantine past the batcher. */
  #diverted = new Set<Promise<void>>();
  #stopped = false;

  constructor(options: ForwarderOptions) {
    const { maxBatch, maxBatchBytes, lingerMs, concurrency } = options.config;
    this.#options = options;
    this.#concurrency = new AdaptiveConcurrency(concurrency);
    this.#batcher = new Batcher<Outgoing>({
      maxBatch,
      maxBatchBytes,
      lingerMs,
      // While holding, one request at a time finds out whether the handler is back.
      limit: () => (this.#holding === undefined ? this.#concurrency.limit : 1),
      send: (batch) => this.#forward(batch),
    });
  }

  /** Why no messages go to the handler, or undefined while they do. */
  get holding(): string | undefined {
    return this.#holding;
  }

  /** How long it has been so; 0 while they do. */
  get holdingMs(): number {
    return this.#holding === undefined ? 0 : performance.now() - this.#holdingSinceMs;
  }

  get inFlightRequests(): number {
    return this.#batcher.inFlight;
  }

  get concurrencyLimit(): number {
    return this.#concurrency.limit;
  }

  add(delivery: Delivery): void {
    const { message } = delivery;
    const item: Outgoing = {
      delivery,
      topic: message.topic,
      bytes: estimateEnvelopeBytes(message),
      arrival: this.#arrivals++,
      attempts: 0,
    };
    const fault = brokenTopic(message.topic);
    if (fault === undefined) this.#batcher.add(item);
    else this.#divert(item, `the broker sent a topic that ${fault}`);
  }

  /** Sends what is there until `signal` aborts, and then gives the rest back to the broker. */
  async drain(signal: AbortSignal): Promise<void> {
    await Promise.race([
      Promise.all([this.#batcher.drain(), ...this.#diverted]),
      untilAborted(signal),
    ]);
    this.#stopped = true;
    this.#batcher.discard();
  }

  async #forward(batch: readonly Outgoing[]): Promise<Unfinished<Outgoing>> {
    const { sink, metrics, config } = this.#options;
    // Encoded when it is sent, again at each try: kept from the arrival on, the text of a whole window would
    // outlive the young generation and double the memory.
    const body = encodeBatch(batch.map(({ delivery }) => delivery.message));
    if (body.byteLength > config.maxBatchBytes) {
      const reason = `it takes ${body.byteLength} bytes, and a request ${config.maxBatchBytes}`;
      return batch.length === 1 ? this.#reject(batch, reason) : this.#split(batch);
    }
    const startedMs = performance.now();
    const verdict = await sink.post(body, () => new Set(batch.map(idOf)));
    const latencyMs = performance.now() - startedMs;
    metrics.request(batch.length, latencyMs);
    for (const item of batch) item.attempts++;
    switch (verdict.kind) {
      case 'answered':
        this.#concurrency.record('served', latencyMs);
        this.#resume();
        return this.#settle(batch, verdict);
      case 'hold':
        if (verdict.overloaded) this.#concurrency.record('overloaded', latencyMs);
        this.#hold(verdict);
        metrics.counters.retried += batch.length;
        return { retry: batch, afterMs: 0 };
      case 'rejected':
        return batch.length === 1 ? this.#reject(batch, verdict.reason) : this.#split(batch);
    }
  }

  /** Settles what is stored, quarantines what never will be, and keeps the rest. */
  async #settle(
    batch: readonly Outgoing[],
    { failures, duplicates }: Extract<Verdict, { kind: 'answered' }>,
  ): Promise<Unfinished<Outgoing>> {
    const { metrics } = this.#options;
    metrics.counters.duplicates += duplicates;
    const [first] = batch;
    if (first !== undefined)
      metrics.acknowledged(Date.now() - Date.parse(first.delivery.message.time));
    if (failures.size === 0) {
      for (const { delivery } of batch) delivery.settle();
      metrics.counters.delivered += batch.length;
      return { retry: [], afterMs: 0 };
    }
    const stored = batch.filter((item) => !failures.has(idOf(item)));
    for (const { delivery } of stored) delivery.settle();
    metrics.counters.delivered += stored.length;
    const failed = batch.filter((item) => failures.has(idOf(item)));
    const isFinal = (item: Outgoing) => failures.get(idOf(item))?.retryable === false;
    const left = await Promise.all(
      failed.map(async (item) => {
        const reason = failures.get(idOf(item))?.reason ?? 'no reason given';
        return isFinal(item) && (await this.#quarantine(item, reason)) ? [] : [item];
      }),
    );
    const retry = left.flat();
    metrics.counters.retried += retry.length;
    return { retry, afterMs: backoffMs(retry) };
  }

  async #reject(batch: readonly Outgoing[], reason: string): Promise<Unfinished<Outgoing>> {
    const [item] = batch;
    if (item === undefined || (await this.#quarantine(item, reason)))
      return { retry: [], afterMs: 0 };
    return { retry: batch, afterMs: backoffMs(batch) };
  }

  /** Halves a rejected batch until the culprit stands alone. */
  async #split(batch: readonly Outgoing[]): Promise<Unfinished<Outgoing>> {
    const middle = Math.ceil(batch.length / 2);
    const first = await this.#forward(batch.slice(0, middle));
    // A topic that has to wait in the first half waits in the second, or its order would be lost. And a
    // handler that went away meanwhile gets no more.
    const waiting = new Set(first.retry.map(({ topic }) => topic));
    const second = batch.slice(middle);
    const rest =
      this.#holding === undefined ? second.filter(({ topic }) => !waiting.has(topic)) : [];
    const held =
      this.#holding === undefined ? second.filter(({ topic }) => waiting.has(topic)) : second;
    const last = rest.length === 0 ? { retry: [], afterMs: 0 } : await this.#forward(rest);
    return {
      retry: [...first.retry, ...held, ...last.retry],
      afterMs: Math.max(first.afterMs, last.afterMs),
    };
  }

  /** Whether the message is safe in the quarantine, and settled. */
  async #quarantine(item: Outgoing, reason: string): Promise<boolean> {
    const { config, quarantine, metrics, log } = this.#options;
    const { message } = item.delivery;
    try {
      await quarantine.put({
        route: config.name,
        reason,
        attempts: item.attempts,
        quarantinedAt: new Date().toISOString(),
        message,
      });
    } catch (error) {
      log.error(
        { id: message.id, reason: String(error) },
        'the quarantine cannot take a message: keeping it',
      );
      return false;
    }
    log.warn({ id: message.id, reason, attempts: item.attempts }, 'message quarantined');
    metrics.counters.quarantined++;
    item.delivery.settle();
    return true;
  }

  /** Sends a message to the quarantine that no handler is asked about. It blocks no lane. */
  #divert(item: Outgoing, reason: string): void {
    const trying = (async () => {
      for (let attempt = 0; !this.#stopped && !(await this.#quarantine(item, reason)); attempt++) {
        await new Promise((resolve) =>
          setTimeout(resolve, fullJitterMs(attempt, retryBaseMs, retryCapMs)),
        );
      }
    })();
    this.#diverted.add(trying);
    void trying.then(() => this.#diverted.delete(trying));
  }

  #hold({ reason, retryAfterMs, broken }: Extract<Verdict, { kind: 'hold' }>): void {
    const nowMs = Date.now();
    // Requests that were in flight together fail together: that is one failure, not several in a row.
    if (nowMs >= this.#heldUntilMs || retryAfterMs !== undefined) {
      const forMs = retryAfterMs ?? fullJitterMs(this.#failedInARow++, retryBaseMs, retryCapMs);
      this.#heldUntilMs = Math.max(this.#heldUntilMs, nowMs + forMs);
      this.#batcher.hold(forMs);
    }
    if (this.#holding !== reason) {
      this.#options.log[broken ? 'error' : 'warn'](
        { reason },
        'holding: the handler takes no messages',
      );
    }
    if (this.#holding === undefined) this.#holdingSinceMs = performance.now();
    this.#holding = reason;
  }

  #resume(): void {
    this.#failedInARow = 0;
    if (this.#holding === undefined) return;
    this.#options.log.info('the handler takes messages again');
    this.#holding = undefined;
  }
}

/** The back-off of the message that was tried most often; some, too, where nobody could be asked yet. */
function backoffMs(items: readonly Outgoing[]): number {
  if (items.length === 0) return 0;
  const attempts = Math.max(1, ...items.map((item) => item.attempts));
  return fullJitterMs(attempts, retryBaseMs, retryCapMs);
}

/** MQTT.js lets through what a broken broker sends; invalid UTF-8 shows as the replacement character. */
function brokenTopic(topic: string): string | undefined {
  return topic.includes('\ufffd') ? 'is not valid UTF-8 [MQTT-1.5.4-1]' : topicFault(topic);
}
