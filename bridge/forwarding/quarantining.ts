// The way of a message into the quarantine: its PUBACK leaves when it is safe there, and it is kept until then.
import type { Logger } from 'pino';
import { fullJitterMs } from '../../functions/contract/backoff.ts';
import type { RouteConfig } from '../config.ts';
import type { Delivery } from '../delivery.ts';
import type { RouteCounters } from '../metrics.ts';
import type { Quarantine } from '../quarantine/quarantine.ts';
import type { Traces } from './traces.ts';

export interface QuarantiningOptions {
  readonly config: RouteConfig;
  readonly quarantine: Quarantine;
  readonly counters: RouteCounters;
  readonly traces: Traces;
  readonly log: Logger;
}

/** A message that goes to the quarantine. */
export interface Refused {
  readonly delivery: Delivery;
  /** How often the handler was asked. */
  readonly attempts: number;
}

export class Quarantining {
  readonly #options: QuarantiningOptions;
  /** Messages that block no lane while they are on their way. */
  readonly #diverted = new Set<Promise<void>>();
  #stopped = false;

  constructor(options: QuarantiningOptions) {
    this.#options = options;
  }

  /** Whether the message is safe in the quarantine, and settled. */
  async put({ delivery, attempts }: Refused, reason: string): Promise<boolean> {
    const { config, quarantine, counters, traces, log } = this.#options;
    const { message } = delivery;
    try {
      await quarantine.put({
        route: config.name,
        reason,
        attempts,
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
    log.warn({ id: message.id, reason, attempts }, 'message quarantined');
    counters.quarantined++;
    traces.quarantined(message);
    delivery.settle();
    return true;
  }

  /** Sends a message to the quarantine that no handler is asked about, and tries until it is there. */
  divert(refused: Refused, reason: string): void {
    const { baseMs, capMs } = this.#options.config.retry;
    const trying = (async () => {
      for (let attempt = 0; !this.#stopped && !(await this.put(refused, reason)); attempt++) {
        await new Promise((resolve) => setTimeout(resolve, fullJitterMs(attempt, baseMs, capMs)));
      }
    })();
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
