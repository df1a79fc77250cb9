// How one client gets its messages: by its version, within its packet size, with topic aliases where it takes them.

import { acknowledgement } from '../packets/answers.ts';
import type { Version } from '../packets/connect.ts';
import { Type } from '../packets/frames.ts';
import { hasExpired, type Message, type QoS } from '../packets/message.ts';
import { writePublish } from '../packets/publish.ts';
import type { Receiver } from '../session/receiver.ts';
import type { Delivery } from '../store/delivery.ts';
import type { Counters } from '../telemetry/counters.ts';
import type { Link } from './link.ts';

export interface ClientLimits {
  readonly version: Version;
  readonly receiveMaximum: number;
  readonly maximumPacketSize: number;
  readonly topicAliasMaximum: number;
}

/** More aliases would not be used again: they go to the topics that come first. */
const maxAliases = 64;

/** The message written last, by who gets it how: packets of QoS 0 are alike for all who get it in the same way. */
let lastMessage: Message | undefined;
let lastWritten: (readonly Buffer[] | undefined)[] = [];

export class Delivering implements Receiver {
  readonly #link: Link;
  readonly #limits: ClientLimits;
  readonly #counters: Counters;
  readonly #aliases = new Map<string, number>();

  constructor(link: Link, limits: ClientLimits, counters: Counters) {
    this.#link = link;
    this.#limits = limits;
    this.#counters = counters;
  }

  get blocked(): boolean {
    return this.#link.blocked;
  }

  get receiveMaximum(): number {
    return this.#limits.receiveMaximum;
  }

  send(delivery: Delivery, packetId: number, dup: boolean): boolean {
    return this.#publish(delivery, delivery.qos, packetId, dup);
  }

  sendOrDrop(delivery: Delivery): void {
    const { message, retain, subscriptionIds } = delivery;
    const nowMs = message.expiresAtMs === undefined ? 0 : Date.now();
    if (hasExpired(message, nowMs)) return;
    if (!this.#link.hasRoomFor(message.topic.length + message.payload.length)) {
      this.#counters.droppedSlow++;
      return;
    }
    const { version, topicAliasMaximum } = this.#limits;
    if (subscriptionIds === undefined && topicAliasMaximum === 0) {
      this.#write(shared(message, retain, version, nowMs));
      return;
    }
    this.#publish(delivery, 0, 0, false);
  }

  release(packetId: number): void {
    this.#link.send(acknowledgement(Type.pubrel, this.#limits.version, packetId, 0));
  }

  #publish(
    { message, retain, subscriptionIds }: Delivery,
    qos: QoS,
    packetId: number,
    dup: boolean,
  ): boolean {
    const { version } = this.#limits;
    const nowMs = message.expiresAtMs === undefined ? 0 : Date.now();
    const alias = this.#aliasOf(message.topic);
    // MQTT.js 5.16 forgets what an alias stands for until PUBREL comes: QoS 2 names its topic.
    const aliased = alias && qos === 2 ? { ...alias, withTopic: true } : alias;
    const out = {
      qos,
      retain,
      dup,
      packetId,
      ...aliased,
      ...(subscriptionIds && { subscriptionIds }),
    };
    const sent = this.#write(writePublish(message, out, version, nowMs));
    if (sent && aliased?.withTopic) this.#aliases.set(message.topic, aliased.topicAlias);
    return sent;
  }

  #write(chunks: readonly Buffer[]): boolean {
    let bytes = 0;
    for (const chunk of chunks) bytes += chunk.length;
    if (bytes > this.#limits.maximumPacketSize) {
      this.#counters.droppedTooLarge++;
      return false;
    }
    for (const chunk of chunks) this.#link.send(chunk);
    return true;
  }

  /** The topic's alias, and whether the client has to be told what it stands for. */
  #aliasOf(topic: string): { topicAlias: number; withTopic: boolean } | undefined {
    const max = Math.min(this.#limits.topicAliasMaximum, maxAliases);
    if (max === 0) return undefined;
    const known = this.#aliases.get(topic);
    if (known !== undefined) return { topicAlias: known, withTopic: false };
    if (this.#aliases.size >= max) return undefined;
    return { topicAlias: this.#aliases.size + 1, withTopic: true };
  }
}

function shared(
  message: Message,
  retain: boolean,
  version: Version,
  nowMs: number,
): readonly Buffer[] {
  if (message !== lastMessage) {
    lastMessage = message;
    lastWritten = [];
  }
  const way = (version === 5 ? 2 : 0) + (retain ? 1 : 0);
  const out = { qos: 0, retain, dup: false, packetId: 0 } as const;
  const chunks = lastWritten[way] ?? writePublish(message, out, version, nowMs);
  lastWritten[way] = chunks;
  return chunks;
}
