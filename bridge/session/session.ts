// A persistent session whose PUBLISHes become deliveries, and whose PUBACKs leave when a delivery is settled, not when
// it arrives. At QoS 2, which comes where the client id had a session of somebody else's, PUBREC leaves then
// [4.3.3, method B]; MQTT.js answers PUBREL.
import type { Packet } from 'mqtt-packet';
import type { Delivery } from '../base/delivery.ts';
import { publicUrl } from '../config/config.ts';
import type { Receiver } from '../connection/incoming.ts';
import type { Connecting } from '../connection/link.ts';
import { keptAsBytes, MalformedSightings } from '../packets/malformed-sightings.ts';
import type { MalformedPublish, Publish } from '../packets/publish.ts';
import type { StreamedHead } from '../packets/streamed-publish.ts';
import { HeldDeliveries, type HeldDeliveriesOptions } from './held-deliveries.ts';
import { Inbound, Received } from './inbound.ts';
import { type LargeMessages, streamedDelivery } from './large-messages.ts';
import { messageOf } from './message.ts';
import type { ReceiptClock } from './receipt-clock.ts';
import { Redeliveries } from './redelivery.ts';
import { SessionLink, type SessionLinkOptions } from './session-link.ts';
import type { SessionState } from './session-state.ts';

export interface SessionOptions
  extends HeldDeliveriesOptions,
    Omit<SessionLinkOptions, 'prepare' | 'oldestMs' | 'unsettled'> {
  /** How long messages wait for others, which none does while `isStalled`. */
  readonly lingerMs: number;
  readonly receiptClock: ReceiptClock;
  readonly onDelivery: (delivery: Delivery) => void;
  /** A window has become full: no message comes before others are settled. */
  readonly onStalled: () => void;
  /** For what memory cannot hold; without it all is buffered. */
  readonly large?: LargeMessages | undefined;
  /** A QoS 0 message came while the window was full. */
  readonly onQoS0Dropped: () => void;
}

export class Session {
  readonly #options: SessionOptions;
  readonly #source: string;
  readonly #link: SessionLink;
  readonly #held: HeldDeliveries;
  readonly #redeliveries = new Redeliveries<Received>((entry) => this.#held.forget(entry));
  readonly #malformed = new MalformedSightings();
  #connection: Inbound | undefined;
  /** Messages are accepted, left unread, or read and dropped without PUBACK. */
  #intake: 'open' | 'stopped' | 'discarding' = 'open';

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#source = `${publicUrl(options.broker.url)}/${options.clientId}`;
    this.#held = new HeldDeliveries(options);
    this.#link = new SessionLink({
      ...options,
      prepare: (connecting) => this.#prepare(connecting),
      oldestMs: () => this.oldestArrivedMs,
      unsettled: () => this.#held.unsettled,
    });
  }

  /** Resolves when the session has ended. */
  get ended(): Promise<void> {
    return this.#link.ended;
  }

  get state(): SessionState {
    return this.#link.state;
  }

  /** Deliveries that are not settled, those of earlier connections included. */
  get unsettled(): number {
    return this.#held.unsettled;
  }

  /** Deliveries of the present connection without PUBACK, the settled ones that wait for others among them. */
  get unacknowledged(): number {
    return this.#connection?.window.size ?? 0;
  }

  /** When the oldest of these came, by the clock of `performance.now()`; undefined where there is none. */
  get oldestArrivedMs(): number | undefined {
    return this.#connection?.window.oldest?.arrivedMs;
  }

  /** Whether a window, ours or the broker's, is full: no message comes before others are settled. */
  get isStalled(): boolean {
    const connection = this.#connection;
    if (this.#intake === 'stopped') return this.unsettled > 0;
    return connection !== undefined && (connection.isStalled || this.#isFull(connection));
  }

  /** Takes no more messages; what has been delivered can still be settled and acknowledged. */
  stopReading(): void {
    if (this.#intake !== 'open') return;
    this.#intake = 'stopped';
    if (this.isStalled) this.#options.onStalled();
  }

  /** After {@link stopReading}: takes messages again. */
  readOn(): void {
    if (this.#intake !== 'stopped') return;
    this.#intake = 'open';
    this.#connection?.unpark();
  }

  /** Sends the PUBACKs that are due and DISCONNECT. The broker keeps the session and what is not acknowledged. */
  async close(): Promise<void> {
    // Read on and drop: a socket closed with unread bytes is reset, and the PUBACKs before it may be lost.
    this.#intake = 'discarding';
    if (this.#connection !== undefined) {
      this.#flush(this.#connection);
      this.#connection.unpark();
    }
    await this.#link.close();
    this.#redeliveries.resume(this.#connection?.window.pending() ?? []);
    this.#redeliveries.clear();
  }

  #prepare(connecting: Connecting): void {
    const { client, incoming } = connecting;
    const connection = new Inbound(connecting, this.#options.lingerMs);
    // Messages may follow CONNACK at once, before MQTT.js says `connect`.
    const onPacket = (packet: Packet) => {
      if (packet.cmd !== 'connack') return;
      client.off('packetreceive', onPacket);
      if ((packet.reasonCode ?? packet.returnCode) !== 0) return;
      const pending = this.#connection?.window.pending() ?? [];
      this.#redeliveries.resume(pending);
      if (!packet.sessionPresent) this.#redeliveries.clear();
      this.#connection = connection;
    };
    client.on('packetreceive', onPacket);
    incoming.receiver = this.#receiver(connection);
  }

  #receiver(connection: Inbound): Receiver {
    const { large } = this.#options;
    return {
      onPublish: (publish) => this.#onPublish(connection, publish),
      onMalformed: (publish) => this.#onMalformed(connection, publish),
      ...(large !== undefined && {
        admit: (packetBytes) => large.admit(packetBytes, () => connection.readOn()),
        onStreamed: (head, payload) => this.#onStreamed(connection, head, payload),
      }),
      beforeDisconnect: () => this.#flush(connection),
    };
  }

  #onPublish(connection: Inbound, publish: Publish): void {
    const { qos, packetId, topic, payload, dup } = publish;
    if (qos === 0) {
      if (this.#intake !== 'open' || this.#isFull(connection)) return this.#options.onQoS0Dropped();
      // Copied: what is dropped between two that are taken would be kept with the chunk of the socket they all lie in.
      const own = { ...publish, payload: Buffer.from(payload) };
      const received = this.#receive(connection, own, false);
      if (this.#held.fits(received)) this.#deliver(received);
      else this.#options.onQoS0Dropped();
      return;
    }
    const { known, possibleDuplicate } = this.#redeliveries.next(packetId, topic, payload, dup);
    if (known === undefined)
      return this.#accept(this.#receive(connection, publish, possibleDuplicate));
    this.#move(known, connection);
  }

  #receive(connection: Inbound, publish: Publish, possibleDuplicate: boolean): Received {
    const { receiptClock } = this.#options;
    const message = messageOf(publish, this.#source, receiptClock, possibleDuplicate);
    return new Received(message, publish.fault, connection, this.#onSettled);
  }

  #accept(received: Received): void {
    const { connection } = received;
    if (this.#intake === 'discarding') return;
    if (this.#intake === 'stopped' || this.#isFull(connection)) return this.#park(received);
    if (!this.#held.fits(received)) {
      this.#held.whenFits(received, this.#readOnWithMemory);
      this.#park(received);
      return this.#options.onStalled();
    }
    this.#held.keep(received);
    this.#deliver(received);
  }

  /** Stops reading before it. */
  #park(received: Received): void {
    received.connection.park(() => this.#accept(received));
  }

  readonly #readOnWithMemory = (): void => {
    if (this.#intake === 'open') this.#connection?.unpark();
  };

  #deliver(received: Received): void {
    this.#held.hold(received);
    received.connection.lastArrivalMs = received.arrivedMs;
    this.#options.onDelivery(received);
    if (this.isStalled) this.#options.onStalled();
  }

  readonly #onSettled = (received: Received): void => {
    this.#held.settled(received);
    this.#scheduleFlush(received.connection);
  };

  /**
   * The PUBACKs of all that settles in one turn of the event loop, a batch or several requests with one message each, leave
   * in one write. That halves the CPU of a message.
   */
  #scheduleFlush(connection: Inbound): void {
    if (connection.flushScheduled) return;
    connection.flushScheduled = true;
    // No arrow function here: V8 would make what it captures at the start of this method, for each message.
    setImmediate(this.#flushScheduled, connection);
  }

  readonly #flushScheduled = (connection: Inbound): void => {
    connection.flushScheduled = false;
    this.#flush(connection);
    this.#link.settled();
    const current = this.#connection;
    if (current !== undefined && this.#intake === 'open' && !this.#isFull(current))
      current.unpark();
  };

  #flush(connection: Inbound): void {
    // An ack belongs to its connection: on another one the packet id stands for another message.
    this.#held.acknowledged(connection === this.#connection ? connection.flush() : []);
  }

  /** On its way already, or stored: only its PUBACK changes over to this connection. */
  #move(known: Received, connection: Inbound): void {
    known.connection = connection;
    this.#held.keep(known);
    if (known.settled) this.#scheduleFlush(connection);
  }

  /** The connection is ended for it, until it has come so often that nothing else will come: then it becomes a dead letter. */
  #onMalformed(connection: Inbound, publish: MalformedPublish): boolean {
    if (this.#malformed.endsConnection(publish, performance.now())) return false;
    this.#onPublish(connection, keptAsBytes(publish));
    return true;
  }

  #onStreamed(connection: Inbound, head: StreamedHead, payload: AsyncIterable<Buffer>): void {
    const { publish } = head;
    const { qos, packetId, topic, dup } = publish;
    const { known, possibleDuplicate } =
      qos === 0
        ? { known: undefined, possibleDuplicate: false }
        : this.#redeliveries.next(packetId, topic, publish.payload, dup);
    if (this.#intake === 'discarding') return;
    // What broke off with its connection has to come as a whole.
    if (known?.settled) return this.#move(known, connection);
    const received = this.#receive(connection, publish, possibleDuplicate);
    if (qos !== 0) this.#held.keep(received);
    this.#held.hold(received);
    this.#options.large?.onDelivery(streamedDelivery(received, head, payload, this.#held));
  }

  #isFull(connection: Inbound): boolean {
    return connection.window.size >= this.#options.window || this.#held.isFull;
  }
}
