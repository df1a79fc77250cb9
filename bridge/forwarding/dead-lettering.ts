// The way of a message to the dead letters: its PUBACK leaves when it is safe there, and it is kept until then.
import type { Logger } from 'pino';
import { fullJitterMs } from '../../functions/contract/backoff.ts';
import { planEnvelope } from '../../functions/contract/envelope.ts';
import type { Message } from '../../functions/contract/message.ts';
import { pause } from '../../functions/contract/pause.ts';
import { maxChunkBytes } from '../../functions/table/chunks.ts';
import type { DeadLetter } from '../../functions/table/dead-letter.ts';
import type { Delivery, StreamedDelivery } from '../base/delivery.ts';
import type { RouteConfig } from '../config/config.ts';
import type { DeadLetterStore } from '../dead-letters/dead-letter-store.ts';
import type { Account } from '../memory/budget.ts';
import type { RouteCounters } from '../metrics/metrics.ts';
import type { Traces } from './traces.ts';

export interface DeadLetteringOptions {
  readonly config: RouteConfig;
  readonly deadLetters: DeadLetterStore;
  /** Of the route, for dead letters on their way. */
  readonly memory: Account;
  readonly counters: RouteCounters;
  readonly traces: Traces;
  readonly log: Logger;
}

/** A dead letter is written in chunks: so many bytes of it are there twice at most. */
const maxBytesOnTheirWay = 4 * maxChunkBytes;

/** A message that becomes a dead letter. */
export interface Refused {
  readonly delivery: Pick<Delivery, 'message' | 'settle'> &
    Partial<Pick<StreamedDelivery, 'payload' | 'payloadBytes'>>;
  /** How often the handler was asked. */
  readonly attempts: number;
}

export class DeadLettering {
  readonly #options: DeadLetteringOptions;
  /** Messages that block no lane while they are on their way. */
  readonly #diverted = new Set<Promise<void>>();
  /** Large messages that could not be kept, one after the other. */
  #brokenStreams = 0;
  #stopped = false;

  constructor(options: DeadLetteringOptions) {
    this.#options = options;
  }

  /** Whether the message is safe among the dead letters, and settled. Never rejects. */
  async put({ delivery, attempts }: Refused, reason: string): Promise<boolean> {
    const { config, deadLetters, memory, counters, traces, log } = this.#options;
    const { message, payload, payloadBytes = message.payload.byteLength } = delivery;
    const bytes = Math.min(payloadBytes, maxBytesOnTheirWay);
    while (!memory.fits(bytes)) await memory.room(bytes);
    memory.take(bytes);
    try {
      const displaced = await deadLetters.put({
        route: config.name,
        attempts,
        quarantinedAt: new Date().toISOString(),
        ...kept(message, reason),
        ...(payload !== undefined && { payload, payloadBytes }),
      });
      log.warn(
        { condition: 'dead-letters', id: message.id, reason, attempts },
        'message became a dead letter',
      );
      counters.quarantined++;
      if (displaced !== undefined) {
        counters.displaced++;
        log.warn(
          { id: displaced, topic: message.topic },
          'the oldest dead letter of the topic is deleted: it had deadLetters.maxPerTopic',
        );
      }
      delivery.settle();
      traces.quarantined(message);
      return true;
    } catch (error) {
      log.error(
        { id: message.id, reason: String(error) },
        'a dead letter cannot be kept: keeping the message',
      );
      return false;
    } finally {
      memory.give(bytes);
    }
  }

  /** Sends a message to the dead letters that no handler is asked about, and tries until it is there. */
  divert(refused: Refused, reason: string): void {
    const { baseMs, capMs } = this.#options.config.retry;
    const trying = (async () => {
      for (let attempt = 0; !this.#stopped && !(await this.put(refused, reason)); attempt++) {
        await pause(fullJitterMs(attempt, baseMs, capMs));
      }
    })();
    this.#track(trying);
  }

  /** As {@link divert}, while it comes. Where it cannot be kept, its connection ends for it, and it comes again. */
  divertStreamed(delivery: StreamedDelivery, reason: string): void {
    const { baseMs, capMs } = this.#options.config.retry;
    const trying = (async () => {
      if (await this.put({ delivery, attempts: 0 }, reason)) {
        this.#brokenStreams = 0;
        return;
      }
      const waitMs = fullJitterMs(this.#brokenStreams++, baseMs, capMs);
      await pause(waitMs);
      delivery.giveUp('a message that is too large to be held could not be kept as a dead letter');
    })();
    this.#track(trying);
  }

  #track(trying: Promise<void>): void {
    this.#diverted.add(trying);
    void trying.then(() => this.#diverted.delete(trying));
  }

  /** Resolves when all that is diverted by now has arrived. */
  async diverted(): Promise<void> {
    await Promise.all(this.#diverted);
  }

  /** Tries no more. */
  stop(): void {
    this.#stopped = true;
  }
}

/** What is kept of a message: all of it, or without its properties where those cannot be written down. */
function kept(message: Message, reason: string): Pick<DeadLetter, 'message' | 'reason'> {
  try {
    planEnvelope(message);
    return { message, reason };
  } catch (error) {
    const { properties: _, ...rest } = message;
    return { message: rest, reason: `${reason}; its properties cannot be kept: ${error}` };
  }
}
