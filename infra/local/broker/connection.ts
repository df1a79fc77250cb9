// One connection of a client: who it is, what it has subscribed to, and the way to it.
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { matchesFilter } from '../../../functions/contract/topic.ts';
import type { Counters } from './counters.ts';
import type { ConnectionFacts, DisconnectReason, Transport } from './events.ts';
import { Link, type LinkOptions } from './link.ts';
import type { Message, QoS } from './message.ts';
import type { Outbox } from './outbox.ts';
import type { Session } from './sessions.ts';
import type { TopicRights } from './topic-rights.ts';

export interface ConnectionOptions extends Omit<LinkOptions, 'onStalled'> {
  readonly maxSubscriptions: number;
}

export class Connection {
  readonly epoch: number;
  readonly address: string;
  readonly transport: Transport;
  readonly certificateName: string | undefined;
  readonly subscriptions = new Map<string, QoS>();
  /** Packet ids of QoS 2 messages that have arrived, where no session keeps them. */
  readonly incoming = new Set<number>();
  clientId = '';
  user: string | undefined;
  rights: TopicRights | undefined;
  clean = true;
  keepAliveSeconds = 0;
  will: Message | undefined;
  /** Undefined where the session ends with the connection. */
  session: Session | undefined;
  outbox: Outbox | undefined;
  /** The client has its CONNACK, and messages may be sent. */
  ready = false;
  /** Why it ended; the first reason counts. */
  ended: { readonly reason: DisconnectReason; readonly detail?: string } | undefined;
  readonly #stream: Duplex;
  readonly #options: ConnectionOptions;
  readonly #counters: Counters;
  readonly #link: Link;
  /** Retained messages that are still to be sent, for one SUBSCRIBE after the other. */
  readonly #retained: Iterator<Message>[] = [];
  #sendingRetained = false;

  constructor(
    stream: Duplex,
    origin: Pick<Connection, 'epoch' | 'address' | 'transport' | 'certificateName'>,
    options: ConnectionOptions,
    counters: Counters,
  ) {
    this.#stream = stream;
    this.epoch = origin.epoch;
    this.address = origin.address;
    this.transport = origin.transport;
    this.certificateName = origin.certificateName;
    this.#options = options;
    this.#counters = counters;
    const onStalled = () => {
      counters.stalled++;
      this.close('error', 'the client did not read');
    };
    this.#link = new Link(stream, { ...options, onStalled }, () => {
      this.outbox?.resume();
      this.#sendRetained();
    });
  }

  get facts(): ConnectionFacts {
    const { clientId, address, transport, epoch } = this;
    return { clientId, user: this.user ?? null, address, transport, epoch };
  }

  get subscriptionsFull(): boolean {
    return this.subscriptions.size >= this.#options.maxSubscriptions;
  }

  /** aedes publishes the will that came in CONNECT as the same object. */
  isWill(packet: object): boolean {
    return packet === this.will;
  }

  wants(topic: string): boolean {
    return [...this.subscriptions.keys()].some((filter) => matchesFilter(filter, topic));
  }

  close(reason: DisconnectReason, detail?: string): void {
    this.ended ??= { reason, ...(detail !== undefined && { detail }) };
    this.#stream.destroy();
  }

  /** Messages may be sent from now on. */
  start(): void {
    this.ready = true;
    this.outbox?.attach(this.#link);
  }

  /** The stream is gone. */
  stop(): void {
    this.#link.end();
    this.#retained.length = 0;
    this.outbox?.detach(this.#link);
    if (this.session !== undefined) return;
    this.outbox?.discard();
    // aedes may still have a message for it.
    this.outbox = undefined;
  }

  /** A new message for which aedes found a subscription of this client. */
  deliver(message: Message): void {
    const qos = this.#grantedQoS(message);
    if (qos === undefined || !this.ready) return;
    if (qos === 0) {
      this.#send0(message);
      return;
    }
    // What a session gets with QoS 1 and 2 is in its queue before aedes comes to live subscribers.
    if (this.session === undefined) this.#append({ ...message, qos });
  }

  /** Sends retained messages as fast as the client reads. */
  sendRetained(messages: Iterator<Message>): void {
    if (this.#retained.length > this.#options.maxSubscriptions)
      return this.close('error', 'too many SUBSCRIBEs while retained messages are being sent');
    this.#retained.push(messages);
    this.#sendRetained();
  }

  #sendRetained(): void {
    if (this.#sendingRetained) return;
    this.#sendingRetained = true;
    for (let sent = 0; this.#retained.length > 0 && !this.#link.blocked; sent++) {
      const { value, done } = this.#retained[0]?.next() ?? { value: undefined, done: true };
      if (done) {
        this.#retained.shift();
        continue;
      }
      const qos = this.#grantedQoS(value);
      if (qos === 0) this.#send0(value);
      else if (qos !== undefined) this.#append({ ...value, qos });
      // Others want their turn of the event loop too.
      if (sent === 200) {
        setImmediate(() => this.#sendRetained());
        break;
      }
    }
    this.#sendingRetained = false;
  }

  #send0({ topic, payload, retain }: Message): void {
    const packet = { cmd: 'publish', topic, payload, qos: 0, retain, dup: false } as const;
    if (!this.#link.sendOrDrop(packet)) this.#counters.droppedSlow++;
  }

  #append(message: Message): void {
    this.outbox?.append(message).catch((error) => this.close('error', String(error)));
  }

  /** The lower of the message's QoS and what was granted, by the highest of overlapping filters [MQTT-3.3.5-1]. */
  #grantedQoS({ topic, qos }: Message): QoS | undefined {
    let granted: QoS | undefined;
    for (const [filter, filterQoS] of this.subscriptions) {
      if (filterQoS > (granted ?? -1) && matchesFilter(filter, topic)) granted = filterQoS;
      if (granted !== undefined && granted >= qos) return qos;
    }
    return granted;
  }
}

/** An address as it is shown and compared: IPv4 within IPv6 as IPv4. */
export function plainAddress(address: string | undefined): string {
  const inner = address?.replace(/^::ffff:/i, '') ?? '';
  return isIP(inner) === 4 ? inner : (address ?? '');
}
