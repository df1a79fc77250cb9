// Messages that a session's filter does not match: those that an earlier filter brought are acknowledged and go nowhere,
// others are delivered; both are counted, and told of once a minute with an example.
import type { Logger } from 'pino';
import type { Delivery } from '../base/delivery.ts';
import type { TopicOwner } from '../session/subscriber.ts';

/** Plain numbers, as a route counts them. */
export interface ForeignCounters {
  foreign: number;
  unmatched: number;
}

export interface ForeignMessagesOptions {
  readonly filter: string;
  readonly counters: ForeignCounters;
  readonly log: Logger;
  /** Time between two lines of a kind. */
  readonly everyMs?: number;
}

const words = {
  foreign:
    'messages of an earlier filter, or of the broker itself, are acknowledged and not delivered',
  unmatched:
    'messages that no filter of the session matches are delivered: the broker rewrites topics, or has a subscription of it that the ledger does not know',
} as const;

export class ForeignMessages {
  readonly #options: ForeignMessagesOptions;
  readonly #toldMs = new Map<keyof ForeignCounters, number>();

  constructor(options: ForeignMessagesOptions) {
    this.#options = options;
  }

  /** Whether the message is to be delivered; where it is not, it is settled. */
  admits(delivery: Delivery, owner: TopicOwner): boolean {
    if (owner === 'own') return true;
    this.#count(owner, delivery.message.topic);
    if (owner === 'unmatched') return true;
    delivery.settle();
    return false;
  }

  #count(kind: keyof ForeignCounters, topic: string): void {
    const { counters, filter, log, everyMs = 60_000 } = this.#options;
    counters[kind]++;
    const nowMs = performance.now();
    const toldMs = this.#toldMs.get(kind);
    if (toldMs !== undefined && nowMs - toldMs < everyMs) return;
    this.#toldMs.set(kind, nowMs);
    log.warn({ topic, filter, messages: counters[kind] }, words[kind]);
  }
}
