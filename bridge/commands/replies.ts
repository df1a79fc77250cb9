// Replies of devices: which are expected, on which topics, and which command each one answers. What is held here is a
// cache: the table has all that is awaited, so that the next bridge goes on listening.
import type { Logger } from 'pino';
import { type BrokerRules, repliesById } from '../../functions/contract/broker-rules.ts';
import { maxReplyBytes, type Reply } from '../../functions/contract/command.ts';
import { jsonIdOf } from '../../functions/contract/json-id.ts';
import type { AwaitedReply } from '../../functions/table/awaited-reply.ts';
import type { Link } from '../connection/link.ts';
import { readPast } from '../connection/streamed-payload.ts';
import { MalformedSightings } from '../packets/malformed-sightings.ts';
import type { Publish } from '../packets/publish.ts';
import { Shares } from './shares.ts';
import { Subscriptions, type TryFilter } from './subscriptions.ts';

export type Expected =
  | { readonly kind: 'expected' }
  /** No reply could ever be told to be this command's. */
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'offline' };

export type ReplyResult =
  | { readonly kind: 'reply'; readonly reply: Reply }
  | { readonly kind: 'too large'; readonly bytes: number };

export interface RepliesOptions {
  readonly ackTimeoutMs: number;
  /** Maximum response topics that the broker lets one connection subscribe to. */
  readonly maxSubscriptions: number | undefined;
  /** Subscribes on a connection on which nobody waits behind it, to see what the broker does. */
  readonly tryFilter: TryFilter;
  readonly now: () => number;
  /** How the broker's replies tell whose they are. */
  readonly rules: BrokerRules;
  readonly log: Logger;
  /** A reply to a command; once for each. */
  readonly onReply: (awaited: AwaitedReply, result: ReplyResult) => void;
  /** A reply is no longer expected, as its caller expects too many others. */
  readonly onGivenUp: (awaited: AwaitedReply) => void;
  /** A message on a response topic that answers nothing: late, doubled, or forged. */
  readonly onDropped: () => void;
}

/** Maximum commands that replies are awaited for; a long response topic counts more than once. */
export const maxAwaited = 10_000;
const bytesCountedOnce = 512;
/** Maximum response topics that are subscribed to, where nothing is known of the broker: below what any is known to take. */
const maxFilters = 500;

const sweepMs = 5000;

export class Replies {
  readonly #options: RepliesOptions;
  readonly #subscriptions: Subscriptions;
  readonly #byCommand = new Map<string, AwaitedReply>();
  /** By response topic, and there by correlation data. */
  readonly #byTopic = new Map<string, Map<string, AwaitedReply>>();
  /** The same by filter, and there by caller. */
  readonly #byFilter = new Map<string, Map<string, Set<AwaitedReply>>>();
  readonly #shares = new Shares(maxAwaited);
  /** A filter counts for one of the callers that use it. */
  readonly #filterShares: Shares;
  readonly #sweeper: NodeJS.Timeout;
  readonly #malformed = new MalformedSightings();
  #protocolVersion: 4 | 5 = 5;

  constructor(options: RepliesOptions) {
    this.#options = options;
    const { ackTimeoutMs, log, tryFilter, maxSubscriptions = maxFilters } = options;
    this.#subscriptions = new Subscriptions({ ackTimeoutMs, log, tryFilter });
    this.#filterShares = new Shares(maxSubscriptions);
    this.#sweeper = setInterval(() => this.#sweep(), sweepMs).unref();
  }

  /** Uses a new connection from now on. */
  attach(link: Link): void {
    this.#protocolVersion = link.protocolVersion;
    const options = this.#options;
    link.incoming.receiver = {
      onPublish: (publish) => {
        this.#onMessage(publish);
        link.incoming.acknowledge(publish);
      },
      onMalformed: (publish) => {
        if (this.#malformed.endsConnection(publish, performance.now())) return false;
        options.onDropped();
        link.incoming.acknowledge(publish);
        return true;
      },
      admit: (packetBytes) => (packetBytes > maxPacketBytes ? 'stream' : 'buffer'),
      onStreamed: ({ publish, payloadBytes }, payload) => {
        void readPast(payload).then((isWhole) => {
          if (!isWhole) return;
          this.#onMessage(publish, payloadBytes);
          link.incoming.acknowledge(publish);
        });
      },
    };
    this.#subscriptions.attach(link);
  }

  /** Whether the connection has ended before the broker answered a SUBSCRIBE. */
  wasSubscribing(link: Link): boolean {
    return this.#subscriptions.wasUnanswered(link);
  }

  /** Expects what the table says is awaited, the oldest first. */
  restore(awaited: readonly AwaitedReply[]): void {
    for (const one of awaited) {
      const isNew = !this.#byCommand.has(one.commandId) && this.#holderOf(one) === undefined;
      if (isNew && one.endsAtMs > this.#options.now()) this.#add(one);
    }
  }

  /**
   * Expects a reply; resolves once the broker has the subscription, so that the command may leave. Doing it again for
   * the same command is no harm.
   */
  async expect(awaited: AwaitedReply): Promise<Expected> {
    const { commandId, topic } = awaited;
    // Without correlation data, the topic has to say whose reply it is, or the reply itself.
    const isKnown = topic.includes(commandId) || repliesById(topic, this.#options.rules);
    if (this.#protocolVersion === 4 && !isKnown)
      return {
        kind: 'refused',
        reason: 'on MQTT 3.1.1 the response topic must contain {commandId} for a reply to be known',
      };
    const holder = this.#holderOf(awaited);
    if (holder !== undefined && holder.commandId !== commandId)
      return {
        kind: 'refused',
        reason: 'another command awaits a reply with the same correlation data',
      };
    if (!this.#byCommand.has(commandId)) this.#add(awaited);
    const subscribed = await this.#subscriptions.ready(filterOf(awaited));
    if (subscribed.kind === 'refused') this.end(commandId);
    return subscribed.kind === 'subscribed' ? { kind: 'expected' } : subscribed;
  }

  /** Expects no reply to this command any more. */
  end(commandId: string): void {
    const awaited = this.#byCommand.get(commandId);
    if (awaited === undefined) return;
    const { topic, caller } = awaited;
    this.#byCommand.delete(commandId);
    this.#shares.delete(commandId);
    const onTopic = this.#byTopic.get(topic);
    onTopic?.delete(correlationKey(awaited.correlationData));
    if (onTopic?.size === 0) this.#byTopic.delete(topic);
    const filter = filterOf(awaited);
    const callers = this.#byFilter.get(filter);
    const ofCaller = callers?.get(caller);
    ofCaller?.delete(awaited);
    if (ofCaller?.size === 0) callers?.delete(caller);
    if (callers?.size === 0) {
      this.#byFilter.delete(filter);
      this.#filterShares.delete(filter);
    }
    this.#subscriptions.release(filter);
  }

  close(): void {
    clearInterval(this.#sweeper);
    this.#subscriptions.close();
  }

  #holderOf({ topic, correlationData }: AwaitedReply): AwaitedReply | undefined {
    return this.#byTopic.get(topic)?.get(correlationKey(correlationData));
  }

  #add(awaited: AwaitedReply): void {
    const { commandId, caller, topic, correlationData } = awaited;
    this.#byCommand.set(commandId, awaited);
    const onTopic = this.#byTopic.get(topic) ?? new Map<string, AwaitedReply>();
    this.#byTopic.set(topic, onTopic.set(correlationKey(correlationData), awaited));
    const filter = filterOf(awaited);
    const callers = this.#byFilter.get(filter) ?? new Map<string, Set<AwaitedReply>>();
    const ofCaller = callers.get(caller) ?? new Set();
    this.#byFilter.set(filter, callers.set(caller, ofCaller.add(awaited)));
    this.#shares.add(commandId, caller, Math.ceil(Buffer.byteLength(topic) / bytesCountedOnce));
    if (!this.#filterShares.has(filter)) this.#filterShares.add(filter, caller);
    this.#subscriptions.use(filter, caller);
    this.#keepToShares(caller);
  }

  #keepToShares(caller: string): void {
    for (let id = this.#shares.excess(caller); id !== undefined; id = this.#shares.excess(caller))
      this.#giveUp(this.#byCommand.get(id));
    for (;;) {
      const filter = this.#filterShares.excess(caller);
      if (filter === undefined) return;
      const owner = this.#filterShares.ownerOf(filter) ?? '';
      for (const awaited of this.#byFilter.get(filter)?.get(owner) ?? []) this.#giveUp(awaited);
      // Others may use it too: it counts for one of them now.
      const [heir] = this.#byFilter.get(filter)?.keys() ?? [];
      if (heir === undefined) continue;
      this.#filterShares.delete(filter);
      this.#filterShares.add(filter, heir);
    }
  }

  #giveUp(awaited: AwaitedReply | undefined): void {
    if (awaited === undefined) return;
    this.end(awaited.commandId);
    this.#options.onGivenUp(awaited);
  }

  #onMessage(publish: Publish, payloadBytes = publish.payload.byteLength): void {
    const { topic, payload, properties } = publish;
    const awaited = this.#match(publish);
    if (awaited === undefined) return this.#options.onDropped();
    this.end(awaited.commandId);
    const { contentType, userProperties } = properties ?? {};
    const bytes =
      payloadBytes + Buffer.byteLength(contentType ?? '') + pairsBytes(userProperties ?? []);
    if (bytes > maxReplyBytes) return this.#options.onReply(awaited, { kind: 'too large', bytes });
    this.#options.onReply(awaited, {
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

  #match({ topic, payload, retain, properties }: Publish): AwaitedReply | undefined {
    // What a broker had retained is from before the question.
    if (retain) return undefined;
    const onTopic = this.#byTopic.get(topic);
    if (onTopic === undefined) return undefined;
    const { correlationData } = properties ?? {};
    if (correlationData !== undefined) return onTopic.get(correlationKey(correlationData));
    if (repliesById(topic, this.#options.rules)) {
      const id = payload.byteLength > maxReplyBytes ? undefined : jsonIdOf(payload);
      return id === undefined ? undefined : onTopic.get(correlationKey(Buffer.from(id)));
    }
    // MQTT 3.1.1 has none, also where the broker gives its device's answer to us on MQTT 5: the id in the topic,
    // which nobody can guess, has to do.
    const [id = ''] = commandIdIn.exec(topic) ?? [];
    const awaited = this.#byCommand.get(id);
    return awaited?.topic === topic ? awaited : undefined;
  }

  #sweep(): void {
    const nowMs = this.#options.now();
    for (const { commandId, endsAtMs } of this.#byCommand.values()) {
      if (endsAtMs <= nowMs) this.end(commandId);
    }
  }
}

/** A reply, and what else is in its packet; what is larger is not held. */
const maxPacketBytes = 2 * maxReplyBytes;

const commandIdIn = /[0-9a-f-]{36}-[0-9a-f]{16}/;

function correlationKey(correlationData: Uint8Array | undefined): string {
  return Buffer.from(correlationData ?? []).toString('base64');
}

/** One subscription for all commands, where the command id is the last level of the response topic. */
function filterOf({ topic, commandId }: AwaitedReply): string {
  const parent = topic.slice(0, -commandId.length);
  return parent.endsWith('/') && topic.endsWith(commandId) ? `${parent}+` : topic;
}

function pairsBytes(pairs: readonly (readonly [string, string])[]): number {
  return pairs.reduce(
    (sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value) + 8,
    0,
  );
}
