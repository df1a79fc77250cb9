// When two messages are the same: by their key in the table, or by all that a broker repeats when it redelivers.
import { isDeepStrictEqual } from 'node:util';
import { messageSortKey, topicKey } from '../contract/item.ts';
import type { Message } from '../contract/message.ts';

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

/** Whether the id is the producer's and not minted: the bridge takes it from the user property `id`. */
export function hasOwnId({ id, properties }: Message): boolean {
  return (
    properties?.userProperties?.some(([name, value]) => name === 'id' && value === id) === true
  );
}

/** A message's key in the table but for its shard, which its id decides; in one text. */
export function keyOf(message: Pick<Message, 'topic' | 'time' | 'id'>): string {
  return `${topicKey(message.topic)} ${messageSortKey(message)}`;
}
