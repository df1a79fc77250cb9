// The properties of MQTT 5 packets as bytes [2.2.2]: which there are, what each is, and where it may stand. Pure.
import { type Malformed, malformed, protocolError } from './malformed.ts';

type Form = 'byte' | 'int16' | 'int32' | 'varint' | 'text' | 'bytes' | 'pair';

interface Property {
  readonly name: string;
  readonly form: Form;
  /** Packets of a broker that it may stand in. */
  readonly in: readonly string[];
}

/** Those that a broker may send. */
const properties: Readonly<Record<number, Property>> = {
  1: { name: 'Payload Format Indicator', form: 'byte', in: ['PUBLISH'] },
  2: { name: 'Message Expiry Interval', form: 'int32', in: ['PUBLISH'] },
  3: { name: 'Content Type', form: 'text', in: ['PUBLISH'] },
  8: { name: 'Response Topic', form: 'text', in: ['PUBLISH'] },
  9: { name: 'Correlation Data', form: 'bytes', in: ['PUBLISH'] },
  11: { name: 'Subscription Identifier', form: 'varint', in: ['PUBLISH'] },
  17: { name: 'Session Expiry Interval', form: 'int32', in: ['CONNACK'] },
  18: { name: 'Assigned Client Identifier', form: 'text', in: ['CONNACK'] },
  19: { name: 'Server Keep Alive', form: 'int16', in: ['CONNACK'] },
  21: { name: 'Authentication Method', form: 'text', in: ['CONNACK'] },
  22: { name: 'Authentication Data', form: 'bytes', in: ['CONNACK'] },
  26: { name: 'Response Information', form: 'text', in: ['CONNACK'] },
  28: { name: 'Server Reference', form: 'text', in: ['CONNACK', 'DISCONNECT'] },
  31: {
    name: 'Reason String',
    form: 'text',
    in: ['CONNACK', 'PUBACK', 'PUBREC', 'PUBREL', 'PUBCOMP', 'SUBACK', 'UNSUBACK', 'DISCONNECT'],
  },
  33: { name: 'Receive Maximum', form: 'int16', in: ['CONNACK'] },
  34: { name: 'Topic Alias Maximum', form: 'int16', in: ['CONNACK'] },
  35: { name: 'Topic Alias', form: 'int16', in: ['PUBLISH'] },
  36: { name: 'Maximum QoS', form: 'byte', in: ['CONNACK'] },
  37: { name: 'Retain Available', form: 'byte', in: ['CONNACK'] },
  39: { name: 'Maximum Packet Size', form: 'int32', in: ['CONNACK'] },
  40: { name: 'Wildcard Subscription Available', form: 'byte', in: ['CONNACK'] },
  41: { name: 'Subscription Identifiers Available', form: 'byte', in: ['CONNACK'] },
  42: { name: 'Shared Subscription Available', form: 'byte', in: ['CONNACK'] },
};

/** What a PUBLISH may carry. */
export const propertyId = {
  payloadFormat: 1,
  messageExpiryInterval: 2,
  contentType: 3,
  responseTopic: 8,
  correlationData: 9,
  /** One for each subscription that a message matches [3.3.2.3.8]. */
  subscriptionIdentifier: 11,
  topicAlias: 35,
  /** May stand in any packet, as often as it likes [MQTT-3.3.2-18]. */
  userProperty: 38,
} as const;

/**
 * Takes a property, whose value is the bytes from `start` to `end`: texts and byte strings begin with their length, as
 * name and value of a pair do.
 */
export type Visit<T> = (into: T, id: number, bytes: Buffer, start: number, end: number) => void;

/**
 * Reads the properties whose length stands at `at`. Gives where they end, or what is wrong with them, which makes void
 * what was visited before.
 */
export function readProperties<T>(
  packetName: string,
  bytes: Buffer,
  at: number,
  packetEnd: number,
  visit: Visit<T>,
  into: T,
): number | Malformed {
  const start = varintEnd(bytes, at, packetEnd);
  if (start === undefined)
    return malformed(`${packetName} without a valid length of its properties [MQTT-1.5.5-1]`);
  const end = start + varint(bytes, at);
  if (end > packetEnd) return malformed(`${packetName} whose properties go beyond its end`);
  let seenLow = 0;
  let seenHigh = 0;
  for (let next = start; next < end; ) {
    const id = bytes[next++] ?? 0;
    const property = properties[id];
    if (property === undefined && id !== propertyId.userProperty)
      return malformed(
        `${packetName} with an unknown property (0x${id.toString(16).padStart(2, '0')})`,
      );
    if (property !== undefined && !property.in.includes(packetName))
      return malformed(`${packetName} with the property ${property.name}`);
    // Ids end at 42.
    const bit = 1 << (id & 31);
    const isSeen = ((id < 32 ? seenLow : seenHigh) & bit) !== 0;
    if (isSeen && !mayRepeat(id))
      return protocolError(`${packetName} with the property ${property?.name} twice`);
    if (id < 32) seenLow |= bit;
    else seenHigh |= bit;
    const valueStart = next;
    const valueEnd = endOf(property?.form ?? 'pair', bytes, next, end);
    if (valueEnd === undefined)
      return malformed(
        `${packetName} whose property ${property?.name ?? 'User Property'} goes beyond their end`,
      );
    visit(into, id, bytes, valueStart, valueEnd);
    next = valueEnd;
  }
  return end;
}

function mayRepeat(id: number): boolean {
  return id === propertyId.userProperty || id === propertyId.subscriptionIdentifier;
}

/** Where a value ends; undefined where that is behind `limit`. */
function endOf(form: Form, bytes: Buffer, at: number, limit: number): number | undefined {
  const end = endUnchecked(form, bytes, at, limit);
  return end === undefined || end > limit ? undefined : end;
}

function endUnchecked(form: Form, bytes: Buffer, at: number, limit: number): number | undefined {
  switch (form) {
    case 'byte':
      return at + 1;
    case 'int16':
      return at + 2;
    case 'int32':
      return at + 4;
    case 'varint':
      return varintEnd(bytes, at, limit);
    case 'text':
    case 'bytes':
      return at + 2 > limit ? undefined : at + 2 + bytes.readUInt16BE(at);
    case 'pair': {
      const middle = endUnchecked('text', bytes, at, limit);
      return middle === undefined ? undefined : endUnchecked('text', bytes, middle, limit);
    }
  }
}

/** Where a variable byte integer ends; undefined where it does not by `limit` or in four bytes. */
function varintEnd(bytes: Buffer, at: number, limit: number): number | undefined {
  for (let end = at; end < limit && end < at + 4; end++)
    if ((bytes[end] ?? 0) < 0x80) return end + 1;
  return undefined;
}

function varint(bytes: Buffer, at: number): number {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++] ?? 0;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
}
