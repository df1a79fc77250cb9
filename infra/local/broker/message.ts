// A message on its way to one session, and its form in the store.

export type QoS = 0 | 1 | 2;

export interface Message {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: QoS;
  readonly retain: boolean;
}

/** A message of QoS 1 or 2 in a session's queue. */
export interface QueuedMessage extends Message {
  /** Place in the queue, from 1; grows with every message of the session. */
  readonly number: number;
  /** QoS 2: the client has sent PUBREC, and what it gets next is PUBREL. */
  readonly released: boolean;
}

/** Bytes that a message counts for in the limits of a queue; the constant is what the bookkeeping takes. */
export function messageBytes({ topic, payload }: Message): number {
  return topic.length + payload.length + 64;
}

/**
 * The packet id of a message is a function of its place in the queue. So it is the same when the message is sent
 * again, also by the next process [MQTT-4.4.0-1], without a write for each message sent.
 */
export function packetId(number: number): number {
  return ((number - 1) % 65_535) + 1;
}

const retainFlag = 0b0100;
const releasedFlag = 0b1000;

export function encodeMessage(message: Message, released = false): Buffer {
  const topic = Buffer.from(message.topic);
  const head = Buffer.allocUnsafe(3);
  head[0] = message.qos | (message.retain ? retainFlag : 0) | (released ? releasedFlag : 0);
  head.writeUInt16BE(topic.length, 1);
  return Buffer.concat([head, topic, message.payload]);
}

export function decodeMessage(bytes: Buffer): Message & { readonly released: boolean } {
  const flags = bytes.readUInt8(0);
  const payloadStart = 3 + bytes.readUInt16BE(1);
  return {
    topic: bytes.toString('utf8', 3, payloadStart),
    payload: bytes.subarray(payloadStart),
    qos: (flags & 0b11) as QoS,
    retain: (flags & retainFlag) !== 0,
    released: (flags & releasedFlag) !== 0,
  };
}
