// The messages of QoS 1 and 2 to one session, from their arrival to the client's acknowledgement.
import type { Counters } from './counters.ts';
import type { Link, MemoryBudget } from './link.ts';
import { type Message, messageBytes, packetId, type QueuedMessage } from './message.ts';
import type { MessageQueue } from './queue.ts';

export interface OutboxLimits {
  /** Messages that may be sent and not acknowledged. */
  readonly maxInflight: number;
  /** Messages that are kept for the session, sent or not. */
  readonly maxQueuedMessages: number;
  readonly maxQueuedBytes: number;
  /** Undefined where the messages are in the store. */
  readonly memory?: MemoryBudget;
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

interface Inflight {
  readonly number: number;
  readonly qos: 1 | 2;
  bytes: number;
}

/** What is left of a message after PUBREC. */
const releasedBytes = messageBytes({ topic: '', payload: Buffer.alloc(0), qos: 2, retain: false });

/** Most messages read from the queue at once. */
const readMessages = 500;

export class Outbox {
  readonly #queue: MessageQueue;
  readonly #limits: OutboxLimits;
  readonly #counters: Counters;
  readonly #inflight = new Map<number, Inflight>();
  readonly #backlog: Backlog;
  #link: Link | undefined;
  /** Number of the next message to send. */
  #next: number;
  /** Number of the last message that the queue is sure to have. */
  #kept: number;
  #pumping = false;

  constructor(
    queue: MessageQueue,
    limits: OutboxLimits,
    counters: Counters,
    backlog: Backlog = { messages: 0, bytes: 0, last: 0, sentUpTo: 0 },
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

  /** Takes a message; resolves when it is kept, or dropped for a full queue, and rejects when it cannot be kept. */
  async append(message: Message): Promise<void> {
    const { messages, bytes } = this.#backlog;
    const size = messageBytes(message);
    const { maxQueuedMessages, maxQueuedBytes, memory } = this.#limits;
    const overMemory = memory !== undefined && memory.bytes + size > memory.maxBytes;
    if (messages >= maxQueuedMessages || bytes + size > maxQueuedBytes || overMemory) {
      this.#counters.droppedQueueFull++;
      return;
    }
    const number = ++this.#backlog.last;
    this.#backlog.messages++;
    this.#count(size);
    // Who has all earlier ones gets this one without the way through the queue.
    const link = this.#link;
    const direct =
      link !== undefined &&
      !link.blocked &&
      !this.#pumping &&
      this.#next === number &&
      this.#hasRoom(number);
    if (direct) {
      this.#next = number + 1;
      this.#track({ ...message, number }, size);
    }
    try {
      await this.#queue.append(number, message, direct ? number : undefined);
    } catch (error) {
      this.#forget(number, size);
      throw error;
    }
    this.#kept = Math.max(this.#kept, number);
    // Where the connection is another by now, it gets the message from the queue.
    if (!direct || link !== this.#link) return this.#pump();
    this.#backlog.sentUpTo = Math.max(this.#backlog.sentUpTo, number);
    this.#send(link, { ...message, number, released: false }, false);
  }

  /** Sends to this connection from now on: first, again, what was not acknowledged [MQTT-4.4.0-1]. */
  attach(link: Link): void {
    this.#link = link;
    this.#inflight.clear();
    this.#next = 1;
    this.#pump();
  }

  /** Does nothing where another connection has taken over. */
  detach(link: Link): void {
    if (this.#link === link) this.#link = undefined;
  }

  /** Nobody will want the messages any more. */
  discard(): void {
    this.#count(-this.#backlog.bytes);
  }

  /** The connection's client has caught up with reading. */
  resume(): void {
    this.#pump();
  }

  /** PUBREC: resolves when the next thing the client is sure to get is PUBREL. */
  async release(id: number): Promise<void> {
    const inflight = this.#inflight.get(id);
    if (inflight?.qos !== 2) return;
    this.#count(releasedBytes - inflight.bytes);
    inflight.bytes = releasedBytes;
    await this.#queue.release(inflight.number);
  }

  /** PUBACK or PUBCOMP. What acknowledges nothing in flight is ignored. */
  acknowledge(id: number, cmd: 'puback' | 'pubcomp'): void {
    const inflight = this.#inflight.get(id);
    if (inflight === undefined || (inflight.qos === 1) !== (cmd === 'puback')) return;
    this.#queue.remove(inflight.number);
    this.#forget(inflight.number, inflight.bytes);
    this.#pump();
  }

  #hasRoom(number: number): boolean {
    return this.#inflight.size < this.#limits.maxInflight && !this.#inflight.has(packetId(number));
  }

  /** Index of the first whose packet id is in flight, or will be with those before it; -1 for none. */
  #firstTaken(queued: readonly QueuedMessage[]): number {
    const ids = new Set<number>();
    return queued.findIndex(({ number }) => {
      const id = packetId(number);
      if (this.#inflight.has(id) || ids.has(id)) return true;
      ids.add(id);
      return false;
    });
  }

  #track({ number, qos }: Message & { number: number }, bytes: number): void {
    this.#inflight.set(packetId(number), { number, qos: qos === 2 ? 2 : 1, bytes });
  }

  #forget(number: number, bytes: number): void {
    const id = packetId(number);
    if (this.#inflight.get(id)?.number === number) this.#inflight.delete(id);
    this.#backlog.messages--;
    this.#count(-bytes);
  }

  #count(bytes: number): void {
    this.#backlog.bytes += bytes;
    if (this.#limits.memory !== undefined) this.#limits.memory.bytes += bytes;
  }

  #send(link: Link, message: QueuedMessage, dup: boolean): void {
    const messageId = packetId(message.number);
    if (message.released) return link.send({ cmd: 'pubrel', messageId });
    const { topic, payload, qos, retain } = message;
    link.send({ cmd: 'publish', topic, payload, qos, retain, dup, messageId });
  }

  /** Sends from the queue until it is empty, the window full, or the client not reading. */
  #pump(): void {
    if (this.#pumping || this.#link === undefined || this.#next > this.#kept) return;
    this.#pumping = true;
    this.#drain().catch(() => {
      // The store is lost, and with it the broker; the messages are still in it.
    });
  }

  async #drain(): Promise<void> {
    try {
      while (await this.#sendSome());
    } finally {
      this.#pumping = false;
    }
  }

  /** False when there is nothing to send, or not now. */
  async #sendSome(): Promise<boolean> {
    const link = this.#link;
    const kept = this.#kept;
    const room = Math.min(this.#limits.maxInflight - this.#inflight.size, readMessages);
    if (link === undefined || link.blocked || room <= 0 || this.#next > kept) return false;
    const queued = await this.#queue.read(this.#next, room);
    if (this.#link !== link) return true;
    if (queued.length === 0) this.#next = kept + 1;
    const taken = this.#firstTaken(queued);
    const messages = taken === -1 ? queued : queued.slice(0, taken);
    const sentBefore = this.#backlog.sentUpTo;
    const last = messages.at(-1)?.number ?? 0;
    if (last > sentBefore) {
      // Before they are sent: what was sent must come with DUP the next time [MQTT-3.3.1-1].
      await this.#queue.markSent(last);
      if (this.#link !== link) return true;
      this.#backlog.sentUpTo = last;
    }
    for (const message of messages) {
      this.#track(message, messageBytes(message));
      this.#next = message.number + 1;
      this.#send(link, message, message.number <= sentBefore);
    }
    return taken !== 0;
  }
}
