// The messages of QoS 1 and 2 to one session, from their arrival to the client's acknowledgement.

import { hasExpired, messageBytes } from '../packets/message.ts';
import { type Delivery, packetId, type QueuedDelivery } from '../store/delivery.ts';
import type { Counters } from '../telemetry/counters.ts';
import { type Acknowledged, Inflight } from './inflight.ts';
import { emptyBacklog, type MessageQueue } from './queue.ts';
import { type QueueLimits, QueueRoom } from './queue-room.ts';
import type { Receiver } from './receiver.ts';

export interface OutboxLimits extends QueueLimits {
  /** Messages that may be sent and not acknowledged. */
  readonly maxInflight: number;
}

/** Maximum messages read from the queue at once. */
const readMessages = 500;

export class Outbox {
  readonly room: QueueRoom;
  readonly #queue: MessageQueue;
  readonly #limits: OutboxLimits;
  readonly #counters: Counters;
  readonly #inflight = new Inflight();
  #receiver: Receiver | undefined;
  /** Number of the last message that the queue ever had. */
  #last: number;
  /** Number of the last message that has been sent. */
  #sentUpTo: number;
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
    this.room = new QueueRoom(limits, backlog);
    this.#last = backlog.last;
    this.#sentUpTo = backlog.sentUpTo;
    this.#next = backlog.last + 1;
    this.#kept = backlog.last;
  }

  /** Messages that are not acknowledged, sent or not. */
  get messages(): number {
    return this.room.messages;
  }

  /** A message can be sent at once. */
  get ready(): boolean {
    return this.#next > this.#last && this.#inflight.size < this.#window;
  }

  get #window(): number {
    return Math.min(this.#limits.maxInflight, this.#receiver?.receiveMaximum ?? 0);
  }

  /**
   * Takes a message. Resolves when it is kept, and rejects when it cannot be; undefined where nothing has to be kept, and
   * `full` where it is dropped.
   */
  append(delivery: Delivery): Promise<void> | undefined | 'full' {
    if (!this.room.takes(delivery.message)) {
      this.#counters.droppedQueueFull++;
      return 'full';
    }
    const size = messageBytes(delivery.message);
    const number = ++this.#last;
    this.room.add(size);
    // Who has all earlier ones gets this one without the way through the queue.
    const receiver = this.#receiver;
    const direct =
      receiver !== undefined &&
      !this.#pumping &&
      this.#next === number &&
      !receiver.blocked &&
      this.#windowTakes(number);
    if (direct) {
      this.#next = number + 1;
      this.#inflight.add(number, delivery.qos, size);
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

  /**
   * The messages of a shared subscription that another client may get, as this one is away: those that were not sent,
   * and those of QoS 1 that were not acknowledged. Of QoS 2 what was sent stays [MQTT-4.8.2-4].
   */
  async *givable(share: string): AsyncGenerator<QueuedDelivery> {
    for await (const queued of this.#queue.sharedBy(share)) {
      const { qos, number, released } = queued;
      if (!released && (qos === 1 || number > this.#sentUpTo)) yield queued;
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
    const released = this.#inflight.release(id);
    if (typeof released === 'string') return { outcome: released, kept: undefined };
    this.room.free(released.freedBytes);
    return { outcome: 'taken', kept: this.#queue.release(released.number) };
  }

  /** PUBACK or PUBCOMP, or a PUBREC that refuses the message: it is done with. */
  acknowledge(id: number, packet: 'puback' | 'pubcomp' | 'refusal'): Acknowledged {
    const done = this.#inflight.acknowledged(id, packet);
    if (typeof done === 'string') return done;
    void this.#queue.remove(done.number);
    this.#forget(done.number, done.bytes);
    this.#pump();
    return 'taken';
  }

  #windowTakes(number: number): boolean {
    return this.#inflight.size < this.#window && !this.#inflight.has(packetId(number));
  }

  #sendDirect(receiver: Receiver, delivery: Delivery, number: number): void {
    this.#sentUpTo = Math.max(this.#sentUpTo, number);
    if (!receiver.send(delivery, packetId(number), false)) this.#drop(number, delivery);
  }

  /** Takes out what is not to be sent. */
  #drop(number: number, { message }: Delivery): void {
    void this.#queue.remove(number);
    this.#forget(number, messageBytes(message));
  }

  #forget(number: number, bytes: number): void {
    this.#inflight.remove(number);
    this.room.remove(bytes);
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
    const sentBefore = this.#sentUpTo;
    const last = chosen.at(-1)?.number ?? 0;
    if (last > sentBefore) {
      // Before they are sent: what was sent must come with DUP the next time [MQTT-3.3.1-1].
      await this.#queue.markSent(last);
      if (this.#receiver !== receiver) return true;
      this.#sentUpTo = last;
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
    this.#inflight.add(number, qos, messageBytes(message), released);
    if (released) receiver.release(packetId(number));
    else if (!receiver.send(queued, packetId(number), wasSent)) this.#drop(number, queued);
  }
}
