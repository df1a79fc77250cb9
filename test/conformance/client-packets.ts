// What a client sends, as bytes.
import { packet, prefixed, u8, u16 } from './bytes.ts';
import { type Properties, properties } from './properties.ts';

export type Version = 3 | 4 | 5;
export type QoS = 0 | 1 | 2;

export interface WillFields {
  readonly topic: string | Buffer;
  readonly payload?: string | Buffer;
  readonly qos?: number;
  readonly retain?: boolean;
  readonly properties?: Properties | Buffer;
}

export interface ConnectFields {
  readonly clientId?: string | Buffer;
  /** Clean Session, or Clean Start; true where it is not given. */
  readonly clean?: boolean;
  readonly keepAliveSeconds?: number;
  readonly will?: WillFields;
  readonly username?: string | Buffer;
  readonly password?: string | Buffer;
  readonly properties?: Properties | Buffer;
  /** Instead of the flags that follow from the fields. */
  readonly flags?: number;
  readonly protocolName?: string;
  readonly level?: number;
}

export function connectPacket(version: Version, fields: ConnectFields = {}): Buffer {
  const { clientId = 'c', clean = true, keepAliveSeconds = 0, will, username, password } = fields;
  const flags =
    fields.flags ??
    (username !== undefined ? 0x80 : 0) |
      (password !== undefined ? 0x40 : 0) |
      (will === undefined ? 0 : 0x04 | ((will.qos ?? 0) << 3) | (will.retain ? 0x20 : 0)) |
      (clean ? 0x02 : 0);
  const five = version === 5;
  return packet(
    0x10,
    prefixed(fields.protocolName ?? (version === 3 ? 'MQIsdp' : 'MQTT')),
    u8(fields.level ?? version),
    u8(flags),
    u16(keepAliveSeconds),
    five ? properties(fields.properties) : Buffer.alloc(0),
    prefixed(clientId),
    ...(will === undefined
      ? []
      : [
          five ? properties(will.properties) : Buffer.alloc(0),
          prefixed(will.topic),
          prefixed(will.payload ?? ''),
        ]),
    ...(username === undefined ? [] : [prefixed(username)]),
    ...(password === undefined ? [] : [prefixed(password)]),
  );
}

export interface PublishFields {
  readonly topic: string | Buffer;
  readonly payload?: string | Buffer;
  readonly qos?: number;
  readonly retain?: boolean;
  readonly dup?: boolean;
  readonly packetId?: number;
  readonly properties?: Properties | Buffer;
}

export function publishPacket(version: Version, fields: PublishFields): Buffer {
  const { topic, payload = '', qos = 0, retain, dup, packetId = 1 } = fields;
  return packet(
    0x30 | (dup ? 8 : 0) | (qos << 1) | (retain ? 1 : 0),
    prefixed(topic),
    qos > 0 ? u16(packetId) : Buffer.alloc(0),
    version === 5 ? properties(fields.properties) : Buffer.alloc(0),
    Buffer.from(payload),
  );
}

export interface Subscription {
  readonly filter: string | Buffer;
  /** The byte of options: QoS, and on MQTT 5 No Local, Retain As Published and Retain Handling. */
  readonly options: number;
}

export function subscribePacket(
  version: Version,
  packetId: number,
  subscriptions: readonly Subscription[],
  given?: Properties | Buffer,
): Buffer {
  return packet(
    0x82,
    u16(packetId),
    version === 5 ? properties(given) : Buffer.alloc(0),
    ...subscriptions.map(({ filter, options }) => Buffer.concat([prefixed(filter), u8(options)])),
  );
}

export function unsubscribePacket(
  version: Version,
  packetId: number,
  filters: readonly (string | Buffer)[],
  given?: Properties | Buffer,
): Buffer {
  return packet(
    0xa2,
    u16(packetId),
    version === 5 ? properties(given) : Buffer.alloc(0),
    ...filters.map(prefixed),
  );
}

export const acknowledgementBytes = { puback: 0x40, pubrec: 0x50, pubrel: 0x62, pubcomp: 0x70 };
export type AcknowledgementType = keyof typeof acknowledgementBytes;

/** A reason and properties only where they are given, and only on MQTT 5. */
export function acknowledgement(
  type: AcknowledgementType,
  packetId: number,
  reason?: number,
  given?: Properties | Buffer,
): Buffer {
  return packet(
    acknowledgementBytes[type],
    u16(packetId),
    reason === undefined ? Buffer.alloc(0) : u8(reason),
    given === undefined ? Buffer.alloc(0) : properties(given),
  );
}

export const pingreq = packet(0xc0);

export function disconnectPacket(reason?: number, given?: Properties | Buffer): Buffer {
  return packet(
    0xe0,
    reason === undefined ? Buffer.alloc(0) : u8(reason),
    given === undefined ? Buffer.alloc(0) : properties(given),
  );
}

export function authPacket(reason?: number, given?: Properties | Buffer): Buffer {
  return packet(
    0xf0,
    reason === undefined ? Buffer.alloc(0) : u8(reason),
    given === undefined ? Buffer.alloc(0) : properties(given),
  );
}
