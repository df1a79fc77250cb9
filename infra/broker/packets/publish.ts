// PUBLISH, read strictly and written as bytes. What an MQTT 5 publisher says about a message is passed on as it came,
// so this does not go through mqtt-packet, which loses the order of user properties [MQTT-3.3.2-18].
import { Cursor, type Fault, malformed, protocolError } from './cursor.ts';
import type { Frame } from './frames.ts';
import type { Message, QoS } from './message.ts';
import { type OnProperty, Property, readProperties } from './properties.ts';

export interface Publish {
  /** Empty where a topic alias stands for it. */
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly dup: boolean;
  /** 0 for QoS 0. */
  readonly packetId: number;
  readonly topicAlias?: number;
  readonly properties?: Buffer;
  readonly expirySeconds?: number;
}

export function readPublish({ bytes, start }: Frame, version: number): Publish | Fault {
  const first = bytes[0] ?? 0;
  const qos = (first >> 1) & 0x03;
  if (qos === 3) return malformed('the QoS must not be 3 [MQTT-3.3.1-4]');
  const dup = (first & 0x08) !== 0;
  if (dup && qos === 0) return malformed('DUP must be 0 for QoS 0 [MQTT-3.3.1-2]');
  const cursor = new Cursor(bytes, start);
  const topic = cursor.string();
  const packetId = qos === 0 ? 0 : cursor.packetId();
  const properties = version === 5 ? readMessageProperties(cursor, 'publish') : undefined;
  if (cursor.fault !== undefined) return cursor.fault;
  if (topic === '' && properties?.topicAlias === undefined)
    return version === 5
      ? protocolError('a topic must not be empty without an alias [MQTT-3.3.2-8]')
      : malformed('a topic must not be empty [MQTT-4.7.3-1]');
  if (hasWildcard(topic)) return malformed('a topic must not contain + or # [MQTT-3.3.2-2]');
  const payload = bytes.subarray(cursor.at);
  const packet = { topic, payload, qos: qos as QoS, retain: (first & 0x01) !== 0, dup, packetId };
  return properties === undefined ? packet : { ...packet, ...properties };
}

const hasWildcard = (topic: string) => topic.includes('+') || topic.includes('#');

interface MessageProperties {
  properties?: Buffer;
  expirySeconds?: number;
  topicAlias?: number;
}

/** The properties of a message: those that are passed on as bytes, and those that mean something to the server. */
export function readMessageProperties(
  cursor: Cursor,
  place: 'publish' | 'will',
  onOther?: OnProperty,
): MessageProperties {
  if (cursor.bytes[cursor.at] === 0) {
    cursor.byte();
    return {};
  }
  const found: MessageProperties = {};
  const kept: Buffer[] = [];
  readProperties(cursor, place, (id, value, from, to) => {
    if (id === Property.messageExpiryInterval) found.expirySeconds = Number(value);
    else if (id === Property.topicAlias) found.topicAlias = Number(value);
    else if (id === Property.willDelayInterval) onOther?.(id, value, from, to);
    else kept.push(cursor.bytes.subarray(from, to));
  });
  if (kept.length > 0) found.properties = joined(kept);
  return found;
}

/** Neighbours are one view of the same bytes. */
function joined(parts: readonly Buffer[]): Buffer {
  const [first] = parts;
  return parts.length === 1 && first !== undefined ? first : Buffer.concat(parts);
}

export interface Outgoing {
  readonly qos: QoS;
  readonly retain: boolean;
  readonly dup: boolean;
  /** 0 for QoS 0. */
  readonly packetId: number;
  /** Of all the subscriptions for which it is sent [MQTT-3.3.4-3]. */
  readonly subscriptionIds?: readonly number[];
  /** Stands for the topic, where `withTopic` is false. */
  readonly topicAlias?: number;
  readonly withTopic?: boolean;
}

/** Bytes of an integer of one to four bytes. */
const integerBytes = (value: number) =>
  value < 128 ? 1 : value < 16_384 ? 2 : value < 2_097_152 ? 3 : 4;

/** A payload of more bytes is not copied beside the header. */
const copiedBytes = 16 * 1024;

/** The packet in one buffer, or in two where the payload is large. */
export function writePublish(
  message: Message,
  out: Outgoing,
  version: number,
  nowMs: number,
): readonly [Buffer] | readonly [Buffer, Buffer] {
  const topic = out.withTopic === false ? '' : message.topic;
  const { payload } = message;
  const topicBytes = Buffer.byteLength(topic);
  const properties = version === 5 ? propertiesOf(message, out, nowMs) : undefined;
  const propertyBytes =
    properties === undefined ? 0 : properties.length + integerBytes(properties.length);
  const length = 2 + topicBytes + (out.qos > 0 ? 2 : 0) + propertyBytes + payload.length;
  const headBytes = 1 + integerBytes(length) + length - payload.length;
  const separate = payload.length > copiedBytes;
  const packet = Buffer.allocUnsafe(separate ? headBytes : headBytes + payload.length);
  packet[0] = 0x30 | (out.dup ? 0x08 : 0) | (out.qos << 1) | (out.retain ? 0x01 : 0);
  let at = writeInteger(packet, 1, length);
  packet[at++] = topicBytes >> 8;
  packet[at++] = topicBytes & 0xff;
  at +=
    topicBytes === topic.length
      ? packet.write(topic, at, 'latin1')
      : packet.write(topic, at, 'utf8');
  if (out.qos > 0) {
    packet[at++] = out.packetId >> 8;
    packet[at++] = out.packetId & 0xff;
  }
  if (properties !== undefined) {
    at = writeInteger(packet, at, properties.length);
    at += properties.copy(packet, at);
  }
  if (separate) return [packet, payload];
  payload.copy(packet, at);
  return [packet];
}

const none = Buffer.alloc(0);

function propertiesOf({ properties, expiresAtMs }: Message, out: Outgoing, nowMs: number): Buffer {
  const { subscriptionIds = [], topicAlias } = out;
  if (expiresAtMs === undefined && topicAlias === undefined && subscriptionIds.length === 0)
    return properties ?? none;
  const own = Buffer.allocUnsafe(5 + 3 + subscriptionIds.length * 5);
  let at = 0;
  if (expiresAtMs !== undefined) {
    own[at++] = Property.messageExpiryInterval;
    // What is left of it [MQTT-3.3.2-6].
    at = own.writeUInt32BE(Math.max(1, Math.ceil((expiresAtMs - nowMs) / 1000)), at);
  }
  if (topicAlias !== undefined) {
    own[at++] = Property.topicAlias;
    at = own.writeUInt16BE(topicAlias, at);
  }
  for (const id of subscriptionIds) {
    own[at++] = Property.subscriptionIdentifier;
    at = writeInteger(own, at, id);
  }
  const written = own.subarray(0, at);
  return properties === undefined ? written : Buffer.concat([properties, written]);
}

function writeInteger(bytes: Buffer, at: number, value: number): number {
  let rest = value;
  let next = at;
  do {
    const digit = rest & 0x7f;
    rest >>>= 7;
    bytes[next++] = rest > 0 ? digit | 0x80 : digit;
  } while (rest > 0);
  return next;
}
