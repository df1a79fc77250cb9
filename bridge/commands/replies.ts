// Replies of devices: which are expected, on which topics, and which command each one answers.
import type { IPublishPacket } from 'mqtt-packet';
import type { Logger } from 'pino';
import { type BrokerRules, repliesById } from '../../functions/contract/broker-rules.ts';
import { maxReplyBytes, type Reply } from '../../functions/contract/command.ts';
import { jsonIdOf } from '../../functions/contract/json-id.ts';
import type { Link } from '../broker/connection.ts';
import { messageProperties } from '../session/properties.ts';
import { Subscriptions } from './subscriptions.ts';

/** What has to come back to answer a command. */
export interface Expectation {
  readonly commandId: string;
  /** The response topic, expanded. */
  readonly topic: string;
  readonly correlationData: Uint8Array | undefined;
  /** After it nobody waits any more: milliseconds since 1970. */
  readonly endsAtMs: number;
}

export type Expected =
  | { readonly kind: 'expected' }
  /** There are too many: the command can be sent, but no reply will be taken. */
  | { readonly kind: 'too many' }
  /** No reply could ever be told to be this command's. */
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'offline' };

export type ReplyResult =
  | { readonly kind: 'reply'; readonly reply: Reply }
  | { readonly kind: 'too large'; readonly bytes: number };

export interface RepliesOptions {
  readonly ackTimeoutMs: number;
  /** Most response topics that the broker lets one connection subscribe to. */
  readonly maxSubscriptions: number | undefined;
  /** How the broker's replies tell whose they are. */
  readonly rules: BrokerRules;
  readonly log: Logger;
  /** A reply to a command; once for each. */
  readonly onReply: (commandId: string, result: ReplyResult) => void;
  /** A message on a response topic that answers nothing: late, doubled, or forged. */
  readonly onDropped: () => void;
}

/** Most commands that replies are awaited for. */
const maxExpectations = 10_000;

const sweepMs = 5000;

export class Replies {
  readonly #options: RepliesOptions;
  readonly #subscriptions: Subscriptions;
  readonly #byCommand = new Map<string, Expectation>();
  /** By response topic, and there by correlation data. */
  readonly #byTopic = new Map<string, Map<string, Expectation>>();
  readonly #sweeper: NodeJS.Timeout;
  #protocolVersion: 4 | 5 = 5;

  constructor(options: RepliesOptions) {
    this.#options = options;
    this.#subscriptions = new Subscriptions(
      options.ackTimeoutMs,
      options.log,
      options.maxSubscriptions,
    );
    this.#sweeper = setInterval(() => this.#sweep(), sweepMs).unref();
  }

  /** Uses a new connection from now on; resolves when what is expected is subscribed to there. */
  async attach(link: Link, isPublishing: () => boolean): Promise<void> {
    this.#protocolVersion = link.protocolVersion;
    link.client.on('message', (topic, payload, packet) => this.#onMessage(topic, payload, packet));
    await this.#subscriptions.attach(link, isPublishing);
  }

  /** Whether a connection may have ended because of a response topic. */
  mayHaveBroken(link: Link): boolean {
    return this.#subscriptions.mayHaveBroken(link);
  }

  /**
   * Expects a reply; resolves once the broker has the subscription, so that the command may leave. Doing it again for
   * the same command is no harm.
   */
  async expect(expectation: Expectation): Promise<Expected> {
    const { commandId, topic, correlationData } = expectation;
    // Without correlation data, the topic has to say whose reply it is, or the reply itself.
    const isKnown = topic.includes(commandId) || repliesById(topic, this.#options.rules);
    if (this.#protocolVersion === 4 && !isKnown)
      return {
        kind: 'refused',
        reason: 'on MQTT 3.1.1 the response topic must contain {commandId} for a reply to be known',
      };
    const known = this.#byCommand.get(commandId);
    const key = correlationKey(correlationData);
    const holder = this.#byTopic.get(topic)?.get(key);
    if (holder !== undefined && holder.commandId !== commandId)
      return {
        kind: 'refused',
        reason: 'another command awaits a reply with the same correlation data',
      };
    if (known === undefined) {
      const hasRoom = this.#subscriptions.hasRoomFor(filterOf(expectation));
      if (!hasRoom || this.#byCommand.size >= maxExpectations) return { kind: 'too many' };
      this.#byCommand.set(commandId, expectation);
      const onTopic = this.#byTopic.get(topic) ?? new Map<string, Expectation>();
      this.#byTopic.set(topic, onTopic.set(key, expectation));
      this.#subscriptions.use(filterOf(expectation));
    }
    const subscribed = await this.#subscriptions.ready(filterOf(expectation));
    if (subscribed.kind === 'refused') this.end(commandId);
    return subscribed.kind === 'subscribed' ? { kind: 'expected' } : subscribed;
  }

  /** Expects no reply to this command any more. */
  end(commandId: string): void {
    const expectation = this.#byCommand.get(commandId);
    if (expectation === undefined) return;
    this.#byCommand.delete(commandId);
    const onTopic = this.#byTopic.get(expectation.topic);
    onTopic?.delete(correlationKey(expectation.correlationData));
    if (onTopic?.size === 0) this.#byTopic.delete(expectation.topic);
    this.#subscriptions.release(filterOf(expectation));
  }

  close(): void {
    clearInterval(this.#sweeper);
    this.#subscriptions.close();
  }

  #onMessage(topic: string, payload: Buffer, packet: IPublishPacket): void {
    const expectation = this.#match(topic, payload, packet);
    if (expectation === undefined) return this.#options.onDropped();
    const { commandId } = expectation;
    this.end(commandId);
    const { contentType, userProperties } =
      packet.properties === undefined ? {} : (messageProperties(packet.properties) ?? {});
    const bytes =
      payload.byteLength + Buffer.byteLength(contentType ?? '') + pairsBytes(userProperties ?? []);
    if (bytes > maxReplyBytes)
      return this.#options.onReply(commandId, { kind: 'too large', bytes });
    this.#options.onReply(commandId, {
      kind: 'reply',
      reply: {
        topic,
        receivedAt: new Date().toISOString(),
        payloadBase64: payload.toString('base64'),
        ...(contentType !== undefined && { contentType }),
        ...(userProperties !== undefined && {
          userProperties: userProperties.map(([name, value]): [string, string] => [name, value]),
        }),
      },
    });
  }

  #match(topic: string, payload: Buffer, packet: IPublishPacket): Expectation | undefined {
    // What a broker had retained is from before the question.
    if (packet.retain) return undefined;
    const onTopic = this.#byTopic.get(topic);
    if (onTopic === undefined) return undefined;
    const { correlationData } = packet.properties ?? {};
    if (correlationData !== undefined) return onTopic.get(correlationKey(correlationData));
    if (repliesById(topic, this.#options.rules)) {
      const id = payload.byteLength > maxReplyBytes ? undefined : jsonIdOf(payload);
      return id === undefined ? undefined : onTopic.get(correlationKey(Buffer.from(id)));
    }
    // MQTT 3.1.1 has none, also where the broker gives its device's answer to us on MQTT 5: the id in the topic,
    // which nobody can guess, has to do.
    return [...onTopic.values()].find(({ commandId }) => topic.includes(commandId));
  }

  #sweep(): void {
    const nowMs = Date.now();
    for (const { commandId, endsAtMs } of this.#byCommand.values()) {
      if (endsAtMs <= nowMs) this.end(commandId);
    }
  }
}

function correlationKey(correlationData: Uint8Array | undefined): string {
  return Buffer.from(correlationData ?? []).toString('base64');
}

/** One subscription for all commands, where the command id is the last level of the response topic. */
function filterOf({ topic, commandId }: Expectation): string {
  const parent = topic.slice(0, -commandId.length);
  return parent.endsWith('/') && topic.endsWith(commandId) ? `${parent}+` : topic;
}

function pairsBytes(pairs: readonly (readonly [string, string])[]): number {
  return pairs.reduce(
    (sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value) + 8,
    0,
  );
}
