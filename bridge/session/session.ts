// The inbound side of MQTT.js: a persistent session whose PUBLISHes become deliveries, and whose PUBACKs leave
// when a delivery is settled, not when it arrives. This file and inbound.ts alone know its private parts.
//
// What they rest on (test/bridge/session/mqtt-contract.test.ts fails when an upgrade changes it): `handleMessage`
// is called for each PUBLISH; a callback with an error goes on to the next packet and sends no PUBACK; a callback
// that is not called stops reading; bytes written to `client.stream` between packets reach the broker whole.
import type { MqttClient } from 'mqtt';
import type { IPublishPacket, Packet } from 'mqtt-packet';
import type { Logger } from 'pino';
import type { Message } from '../../functions/contract/message.ts';
import type { Broker } from '../broker/access.ts';
import type { Link } from '../broker/connection.ts';
import { keepConnected } from '../broker/keep-connected.ts';
import { publicUrl } from '../config.ts';
import type { Delivery } from '../delivery.ts';
import { createReceiptClock, messageId } from './identity.ts';
import { Inbound, Received } from './inbound.ts';
import { messageProperties } from './properties.ts';
import { Redeliveries } from './redelivery.ts';

/** Where a session stands; only `active` gets messages. */
export type SessionState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'active' }
  | { readonly kind: 'disconnected' | 'subscription refused'; readonly reason: string };

export interface SessionOptions {
  readonly broker: Broker;
  readonly clientId: string;
  readonly filter: string;
  readonly qos: 0 | 1;
  /** Most unacknowledged deliveries; the receive maximum. */
  readonly window: number;
  /** Most bytes of deliveries that are not settled. */
  readonly maxWindowBytes: number;
  readonly log: Logger;
  readonly onDelivery: (delivery: Delivery) => void;
  /** A QoS 0 message came while the window was full. */
  readonly onQoS0Dropped: () => void;
}

/** Not a failure: an error makes MQTT.js go on to the next packet without a PUBACK. */
const withheld = new Error('PUBACK withheld until the message is stored');

/** The declared callback takes nothing, the real one takes the error that withholds the PUBACK. */
function goOn(done: () => void): void {
  (done as (error: Error) => void)(withheld);
}

const resubscribeMs = 30_000;

export class Session {
  readonly #options: SessionOptions;
  readonly #source: string;
  readonly #receiptTime = createReceiptClock();
  readonly #stop = new AbortController();
  readonly #redeliveries = new Redeliveries<Received>();
  #connection: Inbound | undefined;
  #unsettled = 0;
  #unsettledBytes = 0;
  /** Messages are accepted, left unread, or read and dropped without PUBACK. */
  #intake: 'open' | 'stopped' | 'discarding' = 'open';
  #state: SessionState = { kind: 'connecting' };
  #hasSubscribed = false;

  /** Resolves when the session has ended. */
  readonly ended: Promise<void>;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#source = `${publicUrl(options.broker.url)}/${options.clientId}`;
    this.ended = keepConnected({
      broker: options.broker,
      clientId: options.clientId,
      clean: options.broker.cleanSession,
      receiveMaximum: options.window,
      log: options.log,
      signal: this.#stop.signal,
      prepare: (client) => this.#prepare(client),
      onConnected: (link) => this.#onConnected(link),
      onDisconnected: (reason, isRenewal) => {
        if (isRenewal) return;
        options.log.warn({ reason }, 'not connected to the broker');
        this.#state = { kind: 'disconnected', reason };
      },
    });
  }

  get state(): SessionState {
    return this.#state;
  }

  /** Deliveries that are not settled, those of earlier connections included. */
  get unsettled(): number {
    return this.#unsettled;
  }

  /** Takes no more messages; what has been delivered can still be settled and acknowledged. */
  stopReading(): void {
    if (this.#intake === 'open') this.#intake = 'stopped';
  }

  /** Sends the PUBACKs that are due and DISCONNECT. The broker keeps the session and what is not acknowledged. */
  async close(): Promise<void> {
    // Read on and drop: a socket closed with unread bytes is reset, and the PUBACKs before it may be lost.
    this.#intake = 'discarding';
    if (this.#connection !== undefined) {
      this.#flush(this.#connection);
      this.#connection.unpark();
    }
    this.#stop.abort();
    await this.ended;
  }

  #prepare(client: MqttClient): void {
    const connection = new Inbound(client, this.#options.broker.keepaliveSeconds);
    // Messages may follow CONNACK at once, before MQTT.js says `connect`.
    const onPacket = (packet: Packet) => {
      if (packet.cmd !== 'connack') return;
      client.off('packetreceive', onPacket);
      if ((packet.reasonCode ?? packet.returnCode) !== 0) return;
      const pending = this.#connection?.window.pending() ?? [];
      if (packet.sessionPresent) this.#redeliveries.resume(pending);
      else this.#redeliveries.clear();
      this.#connection = connection;
    };
    client.on('packetreceive', onPacket);
    client.handleMessage = (packet, done) => this.#onPublish(connection, packet, done);
  }

  #onPublish(connection: Inbound, packet: IPublishPacket, done: () => void): void {
    const { qos, messageId: packetId = 0, topic, dup } = packet;
    const payload = toBytes(packet.payload);
    if (qos === 0) {
      if (this.#intake !== 'open' || this.#isFull(connection)) this.#options.onQoS0Dropped();
      else this.#deliver(this.#receive(connection, packet, payload, false));
      return goOn(done);
    }
    const { known, possibleDuplicate } = this.#redeliveries.next(packetId, topic, payload, dup);
    if (known === undefined) {
      return this.#accept(this.#receive(connection, packet, payload, possibleDuplicate), done);
    }
    // On its way already, or stored: only its PUBACK changes over to this connection.
    known.connection = connection;
    connection.window.add(known);
    if (known.settled) this.#scheduleFlush(connection);
    goOn(done);
  }

  #accept(received: Received, done: () => void): void {
    const { connection } = received;
    if (this.#intake === 'discarding') return goOn(done);
    if (this.#intake === 'stopped' || this.#isFull(connection)) {
      return connection.park(() => this.#accept(received, done));
    }
    connection.window.add(received);
    this.#deliver(received);
    goOn(done);
  }

  #receive(
    connection: Inbound,
    packet: IPublishPacket,
    payload: Buffer,
    possibleDuplicate: boolean,
  ): Received {
    const properties =
      packet.properties === undefined ? undefined : messageProperties(packet.properties);
    // Assigned one by one: conditional spreads would make three more objects a message.
    const message: Mutable<Message> = {
      id: messageId(properties?.userProperties),
      source: this.#source,
      topic: packet.topic,
      time: this.#receiptTime(),
      payload,
      qos: packet.qos,
      retain: packet.retain,
    };
    if (packet.messageId !== undefined) message.packetId = packet.messageId;
    if (possibleDuplicate) message.possibleDuplicate = true;
    if (properties !== undefined) message.properties = properties;
    return new Received(message, connection, this.#onSettled);
  }

  #deliver(received: Received): void {
    this.#unsettled++;
    this.#unsettledBytes += received.bytes;
    this.#options.onDelivery(received);
  }

  readonly #onSettled = ({ bytes, connection }: Received): void => {
    this.#unsettled--;
    this.#unsettledBytes -= bytes;
    this.#scheduleFlush(connection);
  };

  /** A whole batch settles in one go: its PUBACKs leave in one write, which halves the CPU of a message. */
  #scheduleFlush(connection: Inbound): void {
    if (connection.flushScheduled) return;
    connection.flushScheduled = true;
    queueMicrotask(() => {
      connection.flushScheduled = false;
      this.#flush(connection);
      const current = this.#connection;
      if (current !== undefined && this.#intake === 'open' && !this.#isFull(current))
        current.unpark();
    });
  }

  #flush(connection: Inbound): void {
    // An ack belongs to its connection: on another one the packet id stands for another message.
    if (connection === this.#connection) connection.flush();
  }

  #isFull(connection: Inbound): boolean {
    const { window, maxWindowBytes } = this.#options;
    return (
      connection.window.size >= window ||
      this.#unsettled >= window ||
      this.#unsettledBytes >= maxWindowBytes
    );
  }

  #onConnected(link: Link): void {
    const { protocolVersion, sessionPresent } = link;
    this.#options.log.info(
      { protocolVersion, sessionPresent },
      sessionPresent ? 'session resumed' : 'session started',
    );
    if (this.#hasSubscribed && sessionPresent) this.#state = { kind: 'active' };
    else this.#subscribe(link);
  }

  #subscribe(link: Link): void {
    const { filter, qos, log } = this.#options;
    // Retain handling 1: a resumed subscription does not bring the retained messages once more (MQTT 5).
    link.client.subscribe(filter, { qos, rh: 1 }, (error, granted) => {
      if (!link.client.connected) return;
      if (error) {
        this.#state = { kind: 'subscription refused', reason: error.message };
        log.error({ filter, reason: error.message }, 'the broker refused the subscription');
        setTimeout(() => link.client.connected && this.#subscribe(link), resubscribeMs).unref();
        return;
      }
      const grantedQoS = granted?.[0]?.qos ?? qos;
      if (grantedQoS < qos)
        log.warn({ filter, grantedQoS }, 'the broker granted a lower QoS: messages may be lost');
      this.#hasSubscribed = true;
      this.#state = { kind: 'active' };
    });
  }
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function toBytes(payload: string | Buffer): Buffer {
  return typeof payload === 'string' ? Buffer.from(payload) : payload;
}
