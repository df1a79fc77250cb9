// The messages of QoS 1 and 2 to one session, from their arrival to the client's acknowledgement.

import { hasExpired, type Message, messageBytes } from '../packets/message.ts';
import type { Budget } from '../quotas/budget.ts';
import { type Delivery, packetId, type QueuedDelivery } from '../store/delivery.ts';
import type { Counters } from '../telemetry/counters.ts';
import type { MessageQueue } from './queue.ts';
import type { Receiver } from './receiver.ts';

export interface OutboxLimits {
  /** Messages that may be sent and not acknowledged. */
  readonly maxInflight: number;
  /** Messages that are kept for the session, sent or not. */
  readonly maxQueuedMessages: number;
  readonly maxQueuedBytes: number;
}

/** What is in the queue already. */
export interface Backlog {
  messages: number;
  bytes: number;
  /** Number of the last message that the queue ever had. */
  last: number;
  /** Number of the last message that has been sent; in the store, of the last that may have been. */
  sentUpTo: number;
}

export const emptyBacklog = (): Backlog => ({ messages: 0, bytes: 0, last: 0, sentUpTo: 0 });

interface Inflight {
  readonly number: number;
  readonly qos: 1 | 2;
  bytes: number;
  /** PUBREC has come. */
  released: boolean;
}

/** What an acknowledgement was worth: `unknown` where nothing has this packet id, `wrong` where it is another kind's. */
export type Acknowledged = 'taken' | 'unknown' | 'wrong';

/** What is left of a message after PUBREC. */
const releasedBytes = 64;

/** Part of a queue's room for messages whose publisher can wait; wills, events and the server's own have the rest. */
const partForWaiting = 0.9;

/** Maximum messages read from the queue at once. */
const readMessages = 500;

export class Outbox {
  readonly #queue: MessageQueue;
  readonly #limits: OutboxLimits;
  readonly #counters: Counters;
  readonly #inflight = new Map<number, Inflight>();
  readonly #backlog: Backlog;
  /** Whose memory or disk the messages take. */
  #budget: Budget | undefined;
  #receiver: Receiver | undefined;
  /** Number of the next message to send. */
  #next: number;
  /** Number of the last message that the queue is sure to have. */
  #kept: number;
  /** Resolves when what was given to another client is gone from the queue. */
  #giving: Promise<void> | undefined;
  /** Read from the queue and not sent yet, from `#next` on. */
  #ahead: QueuedDelivery[] = [];
  #pumping = false;
  /** Something has changed since the pump looked last. */
  #again = false;

  constructor(
    queue: MessageQueue,
    limits: OutboxLimits,
    counters: Counters,
    backlog = emptyBacklog(),
  ) {
    this.#queue = queue;
    this.#limits = limits;
    this.#counters = counters;
    this.#backlog = backlog;
    this.#next = backlog.last + 1;
    this.#kept = backlog.last;
  }

  /** Messages that are not acknowledged, sent or not. */
  get messages(): number {
    return this.#backlog.messages;
  }

  /** A message can be sent at once. */
  get hasRoom(): boolean {
    return this.#next > this.#backlog.last && this.#inflight.size < this.#window;
  }

  /** It has as many messages as it may, or as many bytes. */
  get isFull(): boolean {
    const { messages, bytes } = this.#backlog;
    return messages >= this.#limits.maxQueuedMessages || bytes >= this.#limits.maxQueuedBytes;
  }

  get #window(): number {
    return Math.min(this.#limits.maxInflight, this.#receiver?.receiveMaximum ?? 0);
  }

  /**
   * Takes a message. Resolves when it is kept, and rejects when it cannot be; undefined where nothing has to be kept, and
   * `full` where it is dropped.
   */
  append(delivery: Delivery): Promise<void> | undefined | 'full' {
    if (!this.takes(delivery.message)) {
      this.#counters.droppedQueueFull++;
      return 'full';
    }
    const size = messageBytes(delivery.message);
    const number = ++this.#backlog.last;
    this.#backlog.messages++;
    this.#count(size);
    // Who has all earlier ones gets this one without the way through the queue.
    const receiver = this.#receiver;
    const direct =
      receiver !== undefined &&
      !this.#pumping &&
      this.#next === number &&
      !receiver.blocked &&
      this.#hasRoomFor(number);
    if (direct) {
      this.#next = number + 1;
      this.#track(number, delivery.qos, size);
    }
    const keeping = this.#queue.append(number, delivery, direct);
    if (keeping === undefined) {
      this.#kept = number;
      if (direct) this.#sendDirect(receiver, delivery, number);
      else this.#pump();
      return undefined;
    }
    keeping.then(
      () => {
        this.#kept = Math.max(this.#kept, number);
        // Where the connection is another by now, it gets the message from the queue.
        if (direct && receiver === this.#receiver) this.#sendDirect(receiver, delivery, number);
        else this.#pump();
      },
      () => this.#forget(number, size),
    );
    return keeping;
  }

  /** Sends to this connection from now on: first, again, what was not acknowledged [MQTT-4.4.0-1]. */
  attach(receiver: Receiver): void {
    this.#receiver = receiver;
    this.#inflight.clear();
    this.#ahead = [];
    this.#next = 1;
    this.#pump();
  }

  /** Does nothing where another connection has taken over. */
  detach(receiver: Receiver): void {
    if (this.#receiver === receiver) this.#receiver = undefined;
  }

  /** What is kept counts for another budget from now on; for none where nobody will want the messages any more. */
  charge(budget: Budget | undefined): void {
    this.#budget?.add(-this.#backlog.bytes);
    this.#budget = budget;
    budget?.add(this.#backlog.bytes);
  }

  /** Whether a message is kept, and not dropped for a full queue. */
  takes(message: Message): boolean {
    return this.#hasSpace(message, 1);
  }

  /** A message that can wait has to: the last of the room is for those that cannot. */
  isFullFor(message: Message): boolean {
    return !this.#hasSpace(message, partForWaiting);
  }

  /** Within this part of the limits. An empty queue has space for one message of any size, or that would wait for ever. */
  #hasSpace(message: Message, part: number): boolean {
    const { messages, bytes } = this.#backlog;
    const { maxQueuedMessages, maxQueuedBytes } = this.#limits;
    const size = messageBytes(message);
    if (messages > 0 && messages >= maxQueuedMessages * part) return false;
    if (messages > 0 && bytes + size > maxQueuedBytes * part) return false;
    return this.#budget?.hasRoom(size) !== false;
  }

  /**
   * The messages of a shared subscription that another client may get, as this one is away: those that were not sent,
   * and those of QoS 1 that were not acknowledged. Of QoS 2 what was sent stays [MQTT-4.8.2-4].
   */
  async *givable(share: string): AsyncGenerator<QueuedDelivery> {
    for await (const queued of this.#queue.sharedBy(share)) {
      const { qos, number, released } = queued;
      if (!released && (qos === 1 || number > this.#backlog.sentUpTo)) yield queued;
    }
  }

  /** The message is another client's from now on. */
  give({ number, message }: QueuedDelivery): void {
    this.#giving = this.#queue.remove(number);
    this.#giving?.catch(() => {});
    this.#forget(number, messageBytes(message));
  }

  /** The connection's client has caught up with reading. */
  resume(): void {
    this.#pump();
  }

  /** PUBREC: resolves when the next thing the client is sure to get is PUBREL. */
  release(id: number): { outcome: Acknowledged; kept: Promise<void> | undefined } {
    const inflight = this.#inflight.get(id);
    if (inflight === undefined) return { outcome: 'unknown', kept: undefined };
    if (inflight.qos !== 2) return { outcome: 'wrong', kept: undefined };
    if (inflight.released) return { outcome: 'taken', kept: undefined };
    inflight.released = true;
    this.#count(releasedBytes - inflight.bytes);
    inflight.bytes = releasedBytes;
    return { outcome: 'taken', kept: this.#queue.release(inflight.number) };
  }

  /** PUBACK or PUBCOMP, or a PUBREC that refuses the message: it is done with. */
  acknowledge(id: number, packet: 'puback' | 'pubcomp' | 'refusal'): Acknowledged {
    const inflight = this.#inflight.get(id);
    if (inflight === undefined) return 'unknown';
    if ((inflight.qos === 1) !== (packet === 'puback')) return 'wrong';
    // PUBCOMP answers PUBREL, and that comes after PUBREC.
    if (inflight.qos === 2 && inflight.released !== (packet === 'pubcomp')) return 'wrong';
    void this.#queue.remove(inflight.number);
    this.#forget(inflight.number, inflight.bytes);
    this.#pump();
    return 'taken';
  }

  #hasRoomFor(number: number): boolean {
    return this.#inflight.size < this.#window && !this.#inflight.has(packetId(number));
  }

  #sendDirect(receiver: Receiver, delivery: Delivery, number: number): void {
    this.#backlog.sentUpTo = Math.max(this.#backlog.sentUpTo, number);
    if (!receiver.send(delivery, packetId(number), false)) this.#drop(number, delivery);
  }

  #track(number: number, qos: number, bytes: number, released = false): void {
    this.#inflight.set(packetId(number), { number, qos: qos === 2 ? 2 : 1, bytes, released });
  }

  /** Takes out what is not to be sent. */
  #drop(number: number, { message }: Delivery): void {
    void this.#queue.remove(number);
    this.#forget(number, messageBytes(message));
  }

  #forget(number: number, bytes: number): void {
    const id = packetId(number);
    if (this.#inflight.get(id)?.number === number) this.#inflight.delete(id);
    this.#backlog.messages--;
    this.#count(-bytes);
  }

  #count(bytes: number): void {
    this.#backlog.bytes += bytes;
    this.#budget?.add(bytes);
  }

  /** Sends from the queue until it is empty, the window full, or the client not reading. */
  #pump(): void {
    this.#again = true;
    if (this.#pumping || this.#receiver === undefined || this.#next > this.#kept) return;
    if (this.#receiver.blocked || this.#inflight.size >= this.#window) return;
    this.#pumping = true;
    this.#drain().catch(() => {
      // The store is lost, and with it the broker; the messages are still in it.
    });
  }

  async #drain(): Promise<void> {
    try {
      while (this.#again) {
        this.#again = false;
        while (await this.#sendSome());
      }
    } finally {
      this.#pumping = false;
    }
  }

  /** False when there is nothing to send, or not now. */
  async #sendSome(): Promise<boolean> {
    const receiver = this.#receiver;
    const kept = this.#kept;
    if (receiver === undefined || receiver.blocked || this.#next > kept) return false;
    if (this.#inflight.size >= this.#window) return false;
    if (this.#ahead.length === 0) {
      await this.#giving?.catch(() => {});
      this.#giving = undefined;
      const read = await this.#queue.read(this.#next, readMessages);
      if (this.#receiver !== receiver) return true;
      if (read.length === 0) this.#next = kept + 1;
      this.#ahead = read;
    }
    const chosen = this.#choose(this.#ahead);
    const sentBefore = this.#backlog.sentUpTo;
    const last = chosen.at(-1)?.number ?? 0;
    if (last > sentBefore) {
      // Before they are sent: what was sent must come with DUP the next time [MQTT-3.3.1-1].
      await this.#queue.markSent(last);
      if (this.#receiver !== receiver) return true;
      this.#backlog.sentUpTo = last;
    }
    this.#ahead.splice(0, chosen.length);
    for (const one of chosen) this.#sendQueued(receiver, one, sentBefore);
    return chosen.length > 0;
  }

  /** As many of the first as the window has room for, and whose packet ids are free. */
  #choose(queued: readonly QueuedDelivery[]): QueuedDelivery[] {
    const room = this.#window - this.#inflight.size;
    const ids = new Set<number>();
    const chosen: QueuedDelivery[] = [];
    for (const one of queued) {
      const id = packetId(one.number);
      if (chosen.length >= room || ids.has(id) || this.#inflight.has(id)) break;
      ids.add(id);
      chosen.push(one);
    }
    return chosen;
  }

  #sendQueued(receiver: Receiver, queued: QueuedDelivery, sentBefore: number): void {
    const { number, message, qos, released } = queued;
    this.#next = number + 1;
    const wasSent = number <= sentBefore;
    if (!wasSent && hasExpired(message, Date.now())) {
      this.#counters.messagesExpired++;
      return this.#drop(number, queued);
    }
    this.#track(number, qos, messageBytes(message), released);
    if (released) receiver.release(packetId(number));
    else if (!receiver.send(queued, packetId(number), wasSent)) this.#drop(number, queued);
  }
}
