// When two messages are the same: by their key in the table, or by all that a broker repeats when it redelivers.
import { isDeepStrictEqual } from 'node:util';
import type { Message } from '../../contract/message.ts';
import { messageSortKey, topicKey } from '../../table/item.ts';

type Content = Pick<Message, 'source' | 'topic' | 'payload' | 'qos' | 'retain' | 'properties'>;

/** Same source, topic, QoS, retain, payload and properties. */
export function sameContent(a: Content, b: Content): boolean {
  return Buffer.compare(a.payload, b.payload) === 0 && sameButPayload(a, b);
}

/**
 * As {@link sameContent}, for a payload that is compared elsewhere. The message expiry is left out: a broker takes
 * off the time that the message has waited [MQTT-3.3.2-6].
 */
export function sameButPayload(a: Omit<Content, 'payload'>, b: Omit<Content, 'payload'>): boolean {
  return (
    a.source === b.source &&
    a.topic === b.topic &&
    a.qos === b.qos &&
    a.retain === b.retain &&
    sameProperties(a, b)
  );
}

function sameProperties(a: Omit<Content, 'payload'>, b: Omit<Content, 'payload'>): boolean {
  return isDeepStrictEqual(comparable(a), comparable(b));
}

function comparable({ properties = {} }: Omit<Content, 'payload'>): unknown {
  const { messageExpirySeconds: _, correlationData, ...rest } = properties;
  // A Buffer and a Uint8Array of the same bytes are not deeply equal.
  return { ...rest, correlationData: correlationData && Buffer.from(correlationData) };
}

/** Whether its producer gave it an id; before there was `producerId` that was its whole id. */
export function hasOwnId({ id, producerId, properties }: Message): boolean {
  return (
    producerId !== undefined ||
    properties?.userProperties?.some(([name, value]) => name === 'id' && value === id) === true
  );
}

/** Whether two messages of one topic have the same id, or their producer gave them the same. */
export function sameId(a: Message, b: Message): boolean {
  return a.id === b.id || (a.producerId !== undefined && a.producerId === (b.producerId ?? b.id));
}

/** A message's key in the table but for its shard, which its id decides; in one text. */
export function keyOf(message: Pick<Message, 'topic' | 'time' | 'id'>): string {
  return `${topicKey(message.topic)} ${messageSortKey(message)}`;
}
