// A PUBLISH from the bytes of its packet [3.3]: user properties in the order of the wire, repeats included, and what
// is wrong with it. Pure. The payload and the correlation data are views of the packet's bytes.
import { isUtf8 } from 'node:buffer';
import type { MessageProperties, QoS } from '../../functions/contract/message.ts';
import type { Packet } from './framer.ts';
import { Malformed, malformed, protocolError } from './malformed.ts';
import { propertyId, readProperties } from './properties.ts';

export interface Publish {
  readonly topic: string;
  readonly qos: QoS;
  readonly dup: boolean;
  readonly retain: boolean;
  /** 0 at QoS 0. */
  readonly packetId: number;
  /** The properties that a message keeps; undefined where there is none of them. */
  readonly properties: MessageProperties | undefined;
  readonly payload: Buffer;
  /**
   * The rule that one of its texts breaks, which can be read all the same; undefined where none does. Bytes that are
   * no UTF-8 stand as U+FFFD there.
   */
  readonly fault: string | undefined;
}

/** A PUBLISH that cannot be read, or must not be so. */
export interface MalformedPublish {
  readonly malformed: Malformed;
  /** Empty where it cannot be read. */
  readonly topic: string;
  readonly qos: QoS;
  readonly dup: boolean;
  /** 0 at QoS 0, and where there is none to acknowledge. */
  readonly packetId: number;
  readonly retain: boolean;
  /** The whole packet. */
  readonly bytes: Buffer;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** What has been read of properties. */
interface Read {
  found: Mutable<MessageProperties> | undefined;
  pairs: [string, string][] | undefined;
  fault: string | undefined;
  malformed: Malformed | undefined;
}

export function readPublish(packet: Packet, protocolVersion: 4 | 5): Publish | MalformedPublish {
  const { flags, bytes, body, end } = packet;
  const qos = (flags >> 1) & 3;
  const topicEnd = topicEndOf(packet);
  let at = qos === 0 ? topicEnd : topicEnd + 2;
  if (at > end) return refused(packet, malformed('PUBLISH that ends in its topic or packet id'));
  if (qos === 3) return refused(packet, malformed('PUBLISH with QoS 3 [MQTT-3.3.1-4]'));
  const packetId = qos === 0 ? 0 : bytes.readUInt16BE(topicEnd);
  if (qos !== 0 && packetId === 0)
    return refused(packet, protocolError('PUBLISH with the packet id 0 [MQTT-2.2.1-3]'));
  const topic = bytes.toString('utf8', body + 2, topicEnd);
  let fault = isBroken(topic, bytes, body + 2, topicEnd) ? brokenText('topic') : undefined;
  let properties: MessageProperties | undefined;
  if (protocolVersion === 5) {
    if (bytes[at] === 0 && at < end) at++;
    else {
      const read: Read = { found: undefined, pairs: undefined, fault, malformed: undefined };
      const last = readProperties('PUBLISH', bytes, at, end, takeProperty, read);
      if (last instanceof Malformed) return refused(packet, last);
      if (read.malformed !== undefined) return refused(packet, read.malformed);
      at = last;
      fault = read.fault;
      properties = read.found;
    }
  }
  const dup = (flags & 8) !== 0;
  const retain = (flags & 1) !== 0;
  return {
    topic,
    // 3 has been refused.
    qos: qos as QoS,
    dup,
    retain,
    packetId,
    properties,
    payload: bytes.subarray(at, end),
    fault,
  };
}

/** Behind the packet where its length does not fit. */
function topicEndOf({ bytes, body, end }: Packet): number {
  return end - body < 2 ? end + 1 : body + 2 + bytes.readUInt16BE(body);
}

function refused(packet: Packet, why: Malformed): MalformedPublish {
  const { flags, bytes, start, body, end } = packet;
  const topicEnd = topicEndOf(packet);
  const hasId = (flags & 6) !== 0 && topicEnd + 2 <= end;
  return {
    malformed: why,
    topic: topicEnd > end ? '' : bytes.toString('utf8', body + 2, topicEnd),
    qos: (flags & 6) === 4 ? 2 : (flags & 6) === 0 ? 0 : 1,
    dup: (flags & 8) !== 0,
    packetId: hasId ? bytes.readUInt16BE(topicEnd) : 0,
    retain: (flags & 1) !== 0,
    bytes: bytes.subarray(start, end),
  };
}

function takeProperty(read: Read, id: number, bytes: Buffer, start: number, end: number): void {
  switch (id) {
    case propertyId.payloadFormat:
      found(read).payloadFormat = bytes[start] === 0 ? 0 : 1;
      break;
    case propertyId.messageExpiryInterval:
      found(read).messageExpirySeconds = bytes.readUInt32BE(start);
      break;
    case propertyId.contentType:
      found(read).contentType = textOf(read, 'content type', bytes, start + 2, end);
      break;
    case propertyId.responseTopic:
      found(read).responseTopic = textOf(read, 'response topic', bytes, start + 2, end);
      break;
    case propertyId.correlationData:
      found(read).correlationData = bytes.subarray(start + 2, end);
      break;
    case propertyId.userProperty: {
      const middle = start + 2 + bytes.readUInt16BE(start);
      const name = textOf(read, 'user property', bytes, start + 2, middle);
      const value = textOf(read, 'user property', bytes, middle + 2, end);
      if (read.pairs === undefined) {
        read.pairs = [];
        found(read).userProperties = read.pairs;
      }
      read.pairs.push([name, value]);
      break;
    }
    case propertyId.topicAlias:
      read.malformed = protocolError(
        'PUBLISH with a topic alias, and none was allowed [MQTT-3.3.2-9]',
      );
      break;
    default:
      // A subscription identifier, which says nothing to a bridge that has set none.
      break;
  }
}

function found(read: Read): Mutable<MessageProperties> {
  read.found ??= {};
  return read.found;
}

function textOf(read: Read, what: string, bytes: Buffer, start: number, end: number): string {
  const text = bytes.toString('utf8', start, end);
  if (isBroken(text, bytes, start, end)) read.fault ??= brokenText(what);
  return text;
}

/** A replacement character may stand in the bytes themselves, which is no fault. */
function isBroken(text: string, bytes: Buffer, start: number, end: number): boolean {
  return text.includes('\ufffd') && !isUtf8(bytes.subarray(start, end));
}

function brokenText(what: string): string {
  return `the broker sent a ${what} that is not valid UTF-8 [MQTT-1.5.4-1]`;
}
