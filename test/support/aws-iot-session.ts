// A session at the AWS IoT Core of the tests: what it has subscribed to, what waits for it, and what it has not
// acknowledged. It outlives its connections where the client asks for that.
import type { IPublishPacket } from 'mqtt-packet';
import { filterMatches, quotas, type Rate } from './aws-iot-rules.ts';

export interface Outgoing {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: 0 | 1;
  readonly properties?: IPublishPacket['properties'] | undefined;
}

/** What a session needs of the connection that it has at the moment. */
export interface Wire {
  readonly receiveMaximum: number;
  /** Publishes of the connection, in and out together. */
  readonly rate: Rate;
  publish(packet: IPublishPacket): void;
}

/** What a session needs of the broker. */
export interface SessionHost {
  /** How long a connected client may leave a message unacknowledged. */
  readonly unacknowledgedMs: number;
  /** What was dropped for that. */
  readonly dropped: Outgoing[];
}

export class AwsIotSession {
  readonly clientId: string;
  /** How long it is kept without a connection. */
  expirySeconds = 0;
  endsAtMs = Number.POSITIVE_INFINITY;
  /** Filters with their granted QoS. */
  readonly subscriptions = new Map<string, 0 | 1>();
  /** The most that were unacknowledged at once. */
  mostUnacknowledged = 0;
  readonly #host: SessionHost;
  /** Of messages that are not acknowledged on the connection. */
  readonly #deadlines = new Map<number, NodeJS.Timeout>();
  readonly #queue: Outgoing[] = [];
  readonly #unacknowledged = new Map<number, Outgoing>();
  #wire: Wire | undefined;
  #nextId = 0;
  #throttle: NodeJS.Timeout | undefined;

  constructor(clientId: string, host: SessionHost) {
    this.clientId = clientId;
    this.#host = host;
  }

  get isConnected(): boolean {
    return this.#wire !== undefined;
  }

  /** QoS at which a topic's messages come; undefined where no subscription matches. Shared ones are the broker's. */
  qosFor(topic: string): 0 | 1 | undefined {
    const granted = [...this.subscriptions]
      .filter(([filter]) => !filter.startsWith('$share/') && filterMatches(filter, topic))
      .map(([, qos]) => qos);
    return granted.length === 0 ? undefined : granted.includes(1) ? 1 : 0;
  }

  deliver(message: Outgoing): void {
    if (this.#wire === undefined && (message.qos === 0 || this.expirySeconds === 0)) return;
    this.#queue.push(message);
    this.#pump();
  }

  /** A connection takes over: what was not acknowledged comes again, with DUP, before all else. */
  attach(wire: Wire): void {
    this.#wire = wire;
    this.endsAtMs = Number.POSITIVE_INFINITY;
    for (const [messageId, message] of this.#unacknowledged) this.#send(message, messageId, true);
    this.#pump();
  }

  detach(nowMs: number): void {
    clearTimeout(this.#throttle);
    for (const messageId of this.#deadlines.keys()) this.#endDeadline(messageId);
    this.#throttle = undefined;
    this.#wire = undefined;
    this.endsAtMs = nowMs + this.expirySeconds * 1000;
  }

  acknowledge(messageId: number): boolean {
    const isKnown = this.#unacknowledged.delete(messageId);
    this.#endDeadline(messageId);
    this.#pump();
    return isKnown;
  }

  #pump(): void {
    for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
      const wire = this.#wire;
      if (wire === undefined || this.#throttle !== undefined) return;
      if (next.qos === 1 && this.#unacknowledged.size >= wire.receiveMaximum) return;
      // The quota counts both ways; what the broker has beyond it waits at the broker.
      if (wire.rate.within(performance.now()) >= quotas.publishesPerSecond) {
        this.#throttle = setTimeout(() => {
          this.#throttle = undefined;
          this.#pump();
        }, 50);
        return;
      }
      this.#queue.shift();
      if (next.qos === 0) this.#send(next, undefined, false);
      else {
        const messageId = this.#freeId();
        this.#unacknowledged.set(messageId, next);
        this.mostUnacknowledged = Math.max(this.mostUnacknowledged, this.#unacknowledged.size);
        this.#send(next, messageId, false);
      }
    }
  }

  #send(
    { topic, payload, qos, properties }: Outgoing,
    messageId: number | undefined,
    dup: boolean,
  ) {
    if (messageId !== undefined) this.#beginDeadline(messageId);
    this.#wire?.rate.count(performance.now());
    this.#wire?.publish({
      cmd: 'publish',
      topic,
      payload,
      qos,
      dup,
      retain: false,
      ...(messageId !== undefined && { messageId }),
      ...(properties !== undefined && { properties }),
    });
  }

  /** "Maximum retry interval for delivering QoS 1 messages": what is not acknowledged by then is dropped. */
  #beginDeadline(messageId: number): void {
    const drop = () => {
      const message = this.#unacknowledged.get(messageId);
      this.#unacknowledged.delete(messageId);
      this.#deadlines.delete(messageId);
      if (message !== undefined) this.#host.dropped.push(message);
      this.#pump();
    };
    this.#endDeadline(messageId);
    this.#deadlines.set(messageId, setTimeout(drop, this.#host.unacknowledgedMs));
  }

  #endDeadline(messageId: number): void {
    clearTimeout(this.#deadlines.get(messageId));
    this.#deadlines.delete(messageId);
  }

  #freeId(): number {
    do this.#nextId = (this.#nextId % 65_535) + 1;
    while (this.#unacknowledged.has(this.#nextId));
    return this.#nextId;
  }
}
