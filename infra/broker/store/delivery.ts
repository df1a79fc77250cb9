// A message for one session: how it gets it, and its form in the store.
import type { Message, QoS } from '../packets/message.ts';

export interface Delivery {
  readonly message: Message;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly subscriptionIds?: readonly number[] | undefined;
  /** The shared subscription by which it comes; another member can take it over. */
  readonly share?: string | undefined;
}

/** A message of QoS 1 or 2 in a session's queue. */
export interface QueuedDelivery extends Delivery {
  /** Place in the queue, from 1; grows with every message of the session. */
  readonly number: number;
  /** QoS 2: the client has sent PUBREC, and what it gets next is PUBREL. */
  readonly released: boolean;
}

/**
 * The packet id of a message is a function of its place in the queue. So it is the same when the message is sent
 * again, also by the next process [MQTT-4.4.0-1], without a write for each message sent.
 */
export function packetId(number: number): number {
  return ((number - 1) % 65_535) + 1;
}

const retainFlag = 0b0000_0100;
const releasedFlag = 0b0000_1000;
/** What MQTT 5 has to say follows the topic. Messages from before have none of it. */
const moreFlag = 0b0001_0000;

/** Flags, the topic after its length, what MQTT 5 says, the payload. */
export function encodeDelivery(delivery: Delivery, released = false): Buffer {
  const { message, qos, retain, subscriptionIds, share } = delivery;
  const { topic, payload, properties, expiresAtMs } = message;
  const hasMore =
    properties !== undefined ||
    expiresAtMs !== undefined ||
    subscriptionIds !== undefined ||
    share !== undefined;
  const more = hasMore ? encodeMore(delivery) : none;
  const topicBytes = Buffer.byteLength(topic);
  const bytes = Buffer.allocUnsafe(3 + topicBytes + more.length + payload.length);
  bytes[0] =
    qos | (retain ? retainFlag : 0) | (released ? releasedFlag : 0) | (hasMore ? moreFlag : 0);
  bytes.writeUInt16BE(topicBytes, 1);
  bytes.write(topic, 3, 'utf8');
  more.copy(bytes, 3 + topicBytes);
  payload.copy(bytes, 3 + topicBytes + more.length);
  return bytes;
}

const none = Buffer.alloc(0);

/** A length, then: expiry (0 for never), the length of the share and it, the number of ids and they, the properties. */
function encodeMore({ message, subscriptionIds = [], share = '' }: Delivery): Buffer {
  const { properties = none, expiresAtMs = 0 } = message;
  const group = Buffer.from(share);
  const ids = subscriptionIds;
  const head = Buffer.alloc(4 + 8 + 2 + group.length + 2 + 4 * ids.length);
  head.writeUInt32BE(head.length + properties.length, 0);
  head.writeDoubleBE(expiresAtMs, 4);
  head.writeUInt16BE(group.length, 12);
  group.copy(head, 14);
  head.writeUInt16BE(ids.length, 14 + group.length);
  for (const [index, id] of ids.entries()) head.writeUInt32BE(id, 16 + group.length + 4 * index);
  return Buffer.concat([head, properties]);
}

export function decodeDelivery(bytes: Buffer): Delivery & { readonly released: boolean } {
  const flags = bytes.readUInt8(0);
  const topicEnd = 3 + bytes.readUInt16BE(1);
  const hasMore = (flags & moreFlag) !== 0;
  const payloadStart = hasMore ? topicEnd + bytes.readUInt32BE(topicEnd) : topicEnd;
  const { said, ...more } = hasMore
    ? decodeMore(bytes.subarray(topicEnd, payloadStart))
    : { said: {} };
  const qos = (flags & 0b11) as QoS;
  const retain = (flags & retainFlag) !== 0;
  const message: Message = {
    topic: bytes.toString('utf8', 3, topicEnd),
    payload: bytes.subarray(payloadStart),
    qos,
    retain,
    ...said,
  };
  return { message, qos, retain, ...more, released: (flags & releasedFlag) !== 0 };
}

function decodeMore(bytes: Buffer) {
  const expiresAtMs = bytes.readDoubleBE(4);
  const idsAt = 14 + bytes.readUInt16BE(12);
  const count = bytes.readUInt16BE(idsAt);
  const propertiesAt = idsAt + 2 + 4 * count;
  const ids = Array.from({ length: count }, (_, index) =>
    bytes.readUInt32BE(idsAt + 2 + 4 * index),
  );
  const said: Pick<Message, 'expiresAtMs' | 'properties'> = {
    ...(expiresAtMs > 0 && { expiresAtMs }),
    ...(propertiesAt < bytes.length && { properties: bytes.subarray(propertiesAt) }),
  };
  return {
    said,
    ...(count > 0 && { subscriptionIds: ids }),
    ...(idsAt > 14 && { share: bytes.toString('utf8', 14, idsAt) }),
  };
}

/** A message alone, as retained ones and wills are kept. */
export const encodeMessage = (message: Message) =>
  encodeDelivery({ message, qos: message.qos, retain: message.retain });
export const decodeMessage = (bytes: Buffer): Message => decodeDelivery(bytes).message;
