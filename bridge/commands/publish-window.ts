// Publishes on one connection: which may leave when, and what the broker made of each. MQTT.js has no window of its
// own for what it sends, so the broker's receive maximum is kept here [MQTT-3.3.4-9].
import type { BrokerRules } from '../../functions/contract/broker-rules.ts';
import type { QoS } from '../../functions/contract/message.ts';
import type { QueuedCommand } from '../../functions/table/queued-command.ts';
import type { ProfileLimits } from '../config/profiles/profile.ts';
import { refusalText } from '../connection/end-reason.ts';
import type { Link } from '../connection/link.ts';
import { userPropertiesRecord } from '../session/properties.ts';
import { PublishPace } from './publish-pace.ts';
import { type OutgoingPublish, refusal, replyRefusal } from './refusal.ts';

export type PublishResult =
  /** Acknowledged by the broker; at QoS 0, which has no acknowledgement, written to the network. */
  | { readonly kind: 'sent'; readonly hadSubscribers?: false }
  /** The broker will not take it; sending it again would not help. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** Its deadline was over before its turn came: nothing was sent. */
  | { readonly kind: 'expired' }
  /** There is no connection any more: nothing was sent. */
  | { readonly kind: 'offline' }
  /** The connection went before the acknowledgement came: it may have been sent. */
  | { readonly kind: 'unknown'; readonly reason: string };

export interface PublishWindowOptions {
  readonly link: Link;
  /** Maximum unacknowledged publishes; the broker's receive maximum where that is less. */
  readonly window: number;
  readonly ackTimeoutMs: number;
  /** What the broker does not take, beside what it announced. */
  readonly rules: BrokerRules;
  readonly limits: ProfileLimits;
  /** Milliseconds since 1970, by the clock that deadlines are of. */
  readonly now: () => number;
}

interface Publish {
  readonly command: QueuedCommand;
  /** Nothing else is in flight meanwhile. */
  readonly isAlone: boolean;
  readonly resolve: (result: PublishResult) => void;
  timer?: NodeJS.Timeout;
}

/** PUBACK and PUBREC reason code: the broker took the message, and no one is subscribed. MQTT 5 only. */
const noMatchingSubscribers = 0x10;

export class PublishWindow {
  readonly #options: PublishWindowOptions;
  readonly #limit: number;
  readonly #waiting: Publish[] = [];
  readonly #inFlight = new Set<Publish>();
  /** QoS and number of what is in flight to a topic. */
  readonly #topics = new Map<string, { readonly qos: QoS; count: number }>();
  /** Packet ids of publishes that no one is subscribed to. MQTT.js gives back the PUBLISH and not this answer. */
  readonly #unheard = new Set<number>();
  readonly #pace: PublishPace;
  #pacing: NodeJS.Timeout | undefined;
  #isAlone = false;
  #closedBy: string | undefined;
  /** Those who wait until nothing of a topic, or of all, is here any more. */
  readonly #settling: { readonly topic: string | undefined; readonly resolve: () => void }[] = [];

  constructor(options: PublishWindowOptions) {
    const { link, window, limits } = options;
    this.#options = options;
    this.#limit = Math.min(window, link.broker.receiveMaximum);
    this.#pace = new PublishPace({
      perSecond: limits.publishesPerSecond,
      bytesPerSecond: limits.bytesPerSecond,
    });
    // Replies count too: brokers have one limit for both ways.
    link.incoming.onPublishBytes = (bytes) => this.#pace.count(bytes, performance.now());
    link.client.on('packetreceive', (packet) => {
      const isAnswer = packet.cmd === 'puback' || packet.cmd === 'pubrec';
      if (isAnswer && packet.reasonCode === noMatchingSubscribers)
        this.#unheard.add(packet.messageId ?? 0);
    });
  }

  get closed(): boolean {
    return this.#closedBy !== undefined;
  }

  /** Why it has ended, in words. */
  get closedBy(): string | undefined {
    return this.#closedBy;
  }

  get inFlight(): number {
    return this.#inFlight.size;
  }

  /**
   * Publishes a command that `refusal` says nothing against. Commands leave in the order of the calls; a
   * command waits while one of another QoS is in flight to its topic, because order holds within one QoS only
   * [MQTT-4.6.0-6].
   */
  publish(command: QueuedCommand, { isAlone = false } = {}): Promise<PublishResult> {
    if (this.closed) return Promise.resolve({ kind: 'offline' });
    return new Promise((resolve) => {
      this.#waiting.push({ command, isAlone, resolve });
      this.#pump();
    });
  }

  /** Resolves when no command waits here or is in flight, of this topic or at all; or when it is closed. */
  whenSettled(topic?: string): Promise<void> {
    return new Promise((resolve) => {
      this.#settling.push({ topic, resolve });
      this.#tellSettled();
    });
  }

  /** Why the broker would not take it, or not let us hear its reply; undefined where nothing speaks against it. */
  refusal(command: QueuedCommand): string | undefined {
    const { link, rules } = this.#options;
    const { responseTopic } = command.properties;
    const isHeard = command.awaitsReply && responseTopic !== undefined;
    return (
      refusal(packetOf(command, link.protocolVersion, this.#options.now()), link, rules) ??
      (isHeard ? replyRefusal(responseTopic, rules) : undefined)
    );
  }

  /** Ends it, with the connection. Gives the ids of what was in flight. */
  close(reason: string): string[] {
    if (this.closed) return [];
    this.#closedBy = reason;
    clearTimeout(this.#pacing);
    const inFlight = [...this.#inFlight];
    for (const publish of inFlight) this.#settle(publish, { kind: 'unknown', reason });
    for (const { resolve } of this.#waiting.splice(0)) resolve({ kind: 'offline' });
    this.#tellSettled();
    return inFlight.map(({ command }) => command.id);
  }

  #pump(): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      if (this.closed || !this.#mayLeave(next) || this.#isPaced()) return;
      this.#waiting.shift();
      this.#send(next);
    }
  }

  #mayLeave({ command: { topic, qos }, isAlone }: Publish): boolean {
    if (this.#inFlight.size === 0) return true;
    if (this.#inFlight.size >= this.#limit || this.#isAlone || isAlone) return false;
    const others = this.#topics.get(topic);
    return others === undefined || others.qos === qos;
  }

  /** Whether the broker's rate makes the next one wait; it is looked at again in time. */
  #isPaced(): boolean {
    const waitMs = this.#pace.waitMs(performance.now());
    if (waitMs <= 0) return false;
    this.#pacing ??= setTimeout(() => {
      this.#pacing = undefined;
      this.#pump();
    }, waitMs);
    return true;
  }

  #send(publish: Publish): void {
    const { command, resolve } = publish;
    const { link, ackTimeoutMs, now } = this.#options;
    const nowMs = now();
    const packet = packetOf(command, link.protocolVersion, nowMs);
    if (Date.parse(command.deadline) <= nowMs) {
      resolve({ kind: 'expired' });
      return this.#tellSettled();
    }
    this.#inFlight.add(publish);
    this.#isAlone = publish.isAlone;
    const onTopic = this.#topics.get(command.topic);
    if (onTopic === undefined) this.#topics.set(command.topic, { qos: command.qos, count: 1 });
    else onTopic.count++;
    // Given up without closing, the packet id would stay taken, and MQTT.js would keep the publish.
    publish.timer = setTimeout(
      () => link.incoming.end(`the broker has not answered PUBLISH in ${ackTimeoutMs} ms`),
      ackTimeoutMs,
    );
    const { topic, payload, qos, retain, properties } = packet;
    this.#pace.count(topic.length + payload.byteLength, performance.now());
    link.client.publish(
      topic,
      payload,
      { qos, retain, ...(properties !== undefined && { properties }) },
      (error, answer) => this.#onAnswer(publish, error, answer),
    );
  }

  #onAnswer(publish: Publish, error: unknown, answer: { messageId?: number } | undefined): void {
    if (!this.#inFlight.has(publish)) return;
    const { qos } = publish.command;
    if (error instanceof Error) {
      const code = 'code' in error && typeof error.code === 'number' ? error.code : 0;
      // Any other error is the end of the connection, which settles all that is in flight at once.
      if (code >= 0x80) this.#settle(publish, { kind: 'refused', reason: refusalText(error) });
      return;
    }
    // That it had subscribers, no answer proves: our own route may be the only one.
    const isUnheard = qos > 0 && this.#unheard.delete(answer?.messageId ?? 0);
    this.#settle(publish, { kind: 'sent', ...(isUnheard && { hadSubscribers: false }) });
  }

  #settle(publish: Publish, result: PublishResult): void {
    clearTimeout(publish.timer);
    this.#inFlight.delete(publish);
    this.#isAlone = false;
    const { topic } = publish.command;
    const onTopic = this.#topics.get(topic);
    if (onTopic !== undefined && --onTopic.count === 0) this.#topics.delete(topic);
    publish.resolve(result);
    this.#pump();
    this.#tellSettled();
  }

  #tellSettled(): void {
    if (this.#settling.length === 0) return;
    const isHere = (topic: string | undefined) =>
      topic === undefined
        ? this.#inFlight.size + this.#waiting.length > 0
        : this.#topics.has(topic) || this.#waiting.some(({ command }) => command.topic === topic);
    for (const waiting of this.#settling.splice(0)) {
      if (this.closed || !isHere(waiting.topic)) waiting.resolve();
      else this.#settling.push(waiting);
    }
  }
}

/** On MQTT 3.1.1 there are no properties. */
function packetOf(command: QueuedCommand, protocolVersion: 4 | 5, nowMs: number): OutgoingPublish {
  const { topic, payload, qos, retain, properties, deadline, expiresAtBroker } = command;
  const packet: OutgoingPublish = {
    cmd: 'publish',
    topic,
    payload: Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength),
    qos,
    retain,
    dup: false,
  };
  if (protocolVersion === 4) return packet;
  const { contentType, responseTopic, correlationData, userProperties } = properties;
  // Whatever clocks say, the device gets no more time than was asked for.
  const { expirySeconds = Number.POSITIVE_INFINITY } = command;
  const secondsLeft = Math.ceil((Date.parse(deadline) - nowMs) / 1000);
  const messageExpiryInterval = Math.max(1, Math.min(secondsLeft, expirySeconds));
  packet.properties = {
    ...(contentType !== undefined && { contentType }),
    ...(responseTopic !== undefined && { responseTopic }),
    ...(correlationData !== undefined && { correlationData: Buffer.from(correlationData) }),
    // Of an empty list mqtt-packet makes no packet, and ends the connection.
    ...(userProperties !== undefined &&
      userProperties.length > 0 && { userProperties: userPropertiesRecord(userProperties) }),
    ...(expiresAtBroker && { messageExpiryInterval }),
  };
  return packet;
}
