// Retained messages: all of them in memory, within limits, and in the store.
import { matchesFilter } from '../../../functions/contract/topic.ts';
import type { Counters } from './counters.ts';
import { decodeMessage, encodeMessage, type Message, messageBytes } from './message.ts';
import { keyPart, type Store } from './store.ts';

export interface RetainedLimits {
  readonly maxRetainedMessages: number;
  readonly maxRetainedBytes: number;
}

export class Retained {
  readonly #store: Store;
  readonly #limits: RetainedLimits;
  readonly #counters: Counters;
  readonly #messages = new Map<string, Message>();
  #bytes = 0;

  private constructor(store: Store, limits: RetainedLimits, counters: Counters) {
    this.#store = store;
    this.#limits = limits;
    this.#counters = counters;
  }

  static async load(store: Store, limits: RetainedLimits, counters: Counters): Promise<Retained> {
    const retained = new Retained(store, limits, counters);
    for await (const [, value] of store.entries('retained:')) retained.#set(decodeMessage(value));
    return retained;
  }

  get size(): number {
    return this.#messages.size;
  }

  /** Keeps the message for its topic, or forgets the topic's for an empty payload; resolves when that is done. */
  keep(message: Message): Promise<void> {
    const { topic, payload } = message;
    const key = `retained:${keyPart(topic)}`;
    const before = this.#messages.get(topic);
    if (payload.length === 0) {
      if (before === undefined) return Promise.resolve();
      this.#delete(before);
      return this.#store.write({ type: 'del', key });
    }
    const bytesAfter = this.#bytes + messageBytes(message) - (before ? messageBytes(before) : 0);
    const overCount =
      before === undefined && this.#messages.size >= this.#limits.maxRetainedMessages;
    if (overCount || bytesAfter > this.#limits.maxRetainedBytes) {
      this.#counters.retainedOverLimit++;
      return Promise.resolve();
    }
    if (before !== undefined) this.#delete(before);
    this.#set(message);
    return this.#store.write({ type: 'put', key, value: encodeMessage(message) });
  }

  /** Each message once that one of the filters matches. */
  *matching(filters: readonly string[]): Generator<Message> {
    const wildcards = filters.filter((filter) => /[+#]/.test(filter));
    for (const filter of new Set(filters)) {
      const message = this.#messages.get(filter);
      if (message !== undefined && !wildcards.includes(filter)) yield message;
    }
    if (wildcards.length === 0) return;
    for (const message of this.#messages.values()) {
      if (filters.includes(message.topic)) continue;
      if (wildcards.some((filter) => matchesFilter(filter, message.topic))) yield message;
    }
  }

  #set(message: Message): void {
    // A payload that is a view would keep the whole read of the socket that it came in.
    this.#messages.set(message.topic, { ...message, payload: Buffer.from(message.payload) });
    this.#bytes += messageBytes(message);
  }

  #delete(message: Message): void {
    this.#messages.delete(message.topic);
    this.#bytes -= messageBytes(message);
  }
}
