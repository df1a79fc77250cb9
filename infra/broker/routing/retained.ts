// Retained messages: all of them in memory, within limits, and in the store. Each counts for the user who published it.
import { matchesFilter } from '../../../functions/contract/topic.ts';
import {
  hasExpired,
  type Message,
  messageBytes,
  ownMessage,
  type QoS,
} from '../packets/message.ts';
import { noParties, type Parties, Shares } from '../quotas/shares.ts';
import { keyPart, type Store, type Write } from '../store/broker-store.ts';
import { type Delivery, decodeMessage, encodeMessage } from '../store/delivery.ts';
import type { Counters } from '../telemetry/counters.ts';
import type { Subscription } from './subscription.ts';

export interface RetainedLimits {
  readonly maxRetainedMessages: number;
  readonly maxRetainedBytes: number;
  readonly maxRetainedMessagesPerUser: number;
  readonly maxRetainedBytesPerUser: number;
}

interface Kept {
  readonly message: Message;
  readonly user: string | undefined;
}

const messageKey = (topic: string) => `retained:${keyPart(topic)}`;
/** Beside the message: earlier versions keep no user, and read what this one has kept. */
const userKey = (topic: string) => `retainer:${keyPart(topic)}`;

const forgetWrites = (topic: string): Write[] =>
  [messageKey(topic), userKey(topic)].map((key) => ({ type: 'del', key }));

/** A subscription that retained messages are sent for. */
export type WantedRetained = Pick<Subscription, 'filter' | 'qos' | 'id'>;

export class Retained {
  readonly #store: Store;
  readonly #counters: Counters;
  readonly #kept = new Map<string, Kept>();
  readonly #count: Shares;
  readonly #bytes: Shares;

  private constructor(store: Store, limits: RetainedLimits, counters: Counters, parties: Parties) {
    this.#store = store;
    this.#counters = counters;
    this.#count = new Shares(
      {
        what: 'retained messages',
        max: limits.maxRetainedMessages,
        maxSetting: 'maxRetainedMessages',
        perUser: limits.maxRetainedMessagesPerUser,
        perUserSetting: 'maxRetainedMessagesPerUser',
      },
      parties,
    );
    this.#bytes = new Shares(
      {
        what: 'bytes of retained messages',
        max: limits.maxRetainedBytes,
        maxSetting: 'maxRetainedBytes',
        perUser: limits.maxRetainedBytesPerUser,
        perUserSetting: 'maxRetainedBytesPerUser',
      },
      parties,
    );
  }

  static async load(
    store: Store,
    limits: RetainedLimits,
    counters: Counters,
    parties: Parties = noParties,
  ): Promise<Retained> {
    const retained = new Retained(store, limits, counters, parties);
    for await (const [, value] of store.entries('retained:')) {
      const message = decodeMessage(value);
      const user = (await store.get(userKey(message.topic)))?.toString();
      retained.#set({ message, user });
    }
    return retained;
  }

  get size(): number {
    return this.#kept.size;
  }

  /** Why the user's message cannot be kept for its topic; undefined where it can. */
  fault(message: Message, user: string | undefined): string | undefined {
    if (message.payload.length === 0) return undefined;
    const before = this.#kept.get(message.topic);
    // What it takes the place of is given back first.
    if (before !== undefined) this.#charge(before, -1);
    const fault = this.#count.fault(user) ?? this.#bytes.fault(user, messageBytes(message));
    if (before !== undefined) this.#charge(before, 1);
    return fault;
  }

  /**
   * Keeps the message for its topic, or forgets the topic's for an empty payload; resolves when that is done, undefined
   * where there is nothing to do. Where there is no room for it, it is counted, and nothing changes.
   */
  keep(message: Message, user: string | undefined): Promise<void> | undefined {
    const { topic, payload } = message;
    const before = this.#kept.get(topic);
    if (payload.length === 0) {
      if (before === undefined) return undefined;
      this.#delete(before);
      return this.#store.write(...forgetWrites(topic));
    }
    if (this.fault(message, user) !== undefined) {
      this.#counters.retainedOverLimit++;
      return undefined;
    }
    if (before !== undefined) this.#delete(before);
    // What was read would keep the whole read of its socket.
    this.#set({ message: ownMessage(message), user });
    return this.#store.write(
      { type: 'put', key: messageKey(topic), value: encodeMessage(message) },
      user === undefined
        ? { type: 'del', key: userKey(topic) }
        : { type: 'put', key: userKey(topic), value: Buffer.from(user) },
    );
  }

  /** Each message once that one of the filters matches, with the highest QoS of these, and all their ids. */
  *matching(wanted: readonly WantedRetained[]): Generator<Delivery> {
    const wildcards = wanted.filter(({ filter }) => /[+#]/.test(filter));
    const exact = new Set(wanted.map(({ filter }) => filter));
    for (const filter of exact) {
      const kept = this.#kept.get(filter);
      const delivery = kept && this.#deliveryOf(kept, wanted);
      if (delivery !== undefined) yield delivery;
    }
    if (wildcards.length === 0) return;
    for (const kept of this.#kept.values()) {
      if (exact.has(kept.message.topic)) continue;
      const delivery = this.#deliveryOf(kept, wildcards);
      if (delivery !== undefined) yield delivery;
    }
  }

  #deliveryOf(kept: Kept, wanted: readonly WantedRetained[]): Delivery | undefined {
    const { message } = kept;
    const matched = wanted.filter(({ filter }) => matchesFilter(filter, message.topic));
    if (matched.length === 0) return undefined;
    if (hasExpired(message, Date.now())) {
      this.#delete(kept);
      void this.#store.write(...forgetWrites(message.topic));
      return undefined;
    }
    const granted = Math.max(...matched.map(({ qos }) => qos));
    const ids = matched.flatMap(({ id }) => (id === undefined ? [] : [id]));
    return {
      message,
      qos: Math.min(granted, message.qos) as QoS,
      retain: true,
      subscriptionIds: ids.length === 0 ? undefined : ids,
    };
  }

  #set(kept: Kept): void {
    this.#kept.set(kept.message.topic, kept);
    this.#charge(kept, 1);
  }

  #delete(kept: Kept): void {
    this.#kept.delete(kept.message.topic);
    this.#charge(kept, -1);
  }

  #charge({ message, user }: Kept, sign: 1 | -1): void {
    this.#count.add(user, sign);
    this.#bytes.add(user, sign * messageBytes(message));
  }
}
