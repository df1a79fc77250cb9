// What of a client outlives its connection: its subscriptions, what waits for it, and what of QoS 2 has arrived.
import type { Recipient } from '../routing/router.ts';
import type { Subscription } from '../routing/subscription.ts';
import type { Delivery } from '../store/delivery.ts';
import type { Outbox } from './outbox.ts';
import type { Receiver } from './receiver.ts';

export interface SessionFacts {
  readonly clientId: string;
  /** The user whose session it is; undefined for anonymous. */
  readonly user: string | undefined;
  /** It is in the store, and outlives its connection. */
  readonly kept: boolean;
  /** When its client was last connected, in ms since 1970; what expires is counted from here. */
  readonly lastSeenMs: number;
  /** How long it outlives its connection, in s. */
  readonly expirySeconds: number;
}

export class Session implements Recipient {
  readonly clientId: string;
  readonly kept: boolean;
  user: string | undefined;
  lastSeenMs: number;
  expirySeconds: number;
  /** No CONNACK has been sent for it: the client has to be told that there was no session [MQTT-3.2.2-3]. */
  isNew = false;
  /** It has ended: nothing is kept for it any more. */
  ended = false;
  readonly subscriptions = new Map<string, Subscription>();
  /** Packet ids of QoS 2 messages that have arrived, and whose PUBREL has not [MQTT-4.3.3-2]. */
  readonly incoming = new Set<number>();
  readonly #makeOutbox: () => Outbox;
  #outbox: Outbox | undefined;
  #receiver: Receiver | undefined;

  constructor(facts: SessionFacts, makeOutbox: () => Outbox) {
    this.clientId = facts.clientId;
    this.user = facts.user;
    this.kept = facts.kept;
    this.lastSeenMs = facts.lastSeenMs;
    this.expirySeconds = facts.expirySeconds;
    this.#makeOutbox = makeOutbox;
  }

  /** Made when it is needed first: most clients never get a message of QoS 1 or 2. */
  get outbox(): Outbox {
    if (this.#outbox === undefined) {
      this.#outbox = this.#makeOutbox();
      if (this.#receiver !== undefined) this.#outbox.attach(this.#receiver);
    }
    return this.#outbox;
  }

  /** The same, where there is one. */
  get madeOutbox(): Outbox | undefined {
    return this.#outbox;
  }

  get connected(): boolean {
    return this.#receiver !== undefined;
  }

  get ready(): boolean {
    const receiver = this.#receiver;
    return receiver !== undefined && !receiver.blocked && (this.#outbox?.ready ?? true);
  }

  get full(): boolean {
    return this.#outbox?.room.isFull ?? false;
  }

  /** Sends to this connection from now on. */
  attach(receiver: Receiver): void {
    this.#receiver = receiver;
    if (this.#outbox !== undefined || this.kept) this.outbox.attach(receiver);
  }

  /** Does nothing where another connection has taken over. */
  detach(receiver: Receiver): void {
    if (this.#receiver !== receiver) return;
    this.#receiver = undefined;
    this.#outbox?.detach(receiver);
  }

  /** As {@link Outbox.append}; QoS 0 goes to a connected client, or to nobody. */
  deliver(delivery: Delivery): Promise<void> | undefined | 'full' {
    if (this.ended) return undefined;
    if (delivery.qos > 0) return this.outbox.append(delivery);
    this.#receiver?.sendOrDrop(delivery);
    return undefined;
  }
}
