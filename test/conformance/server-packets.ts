// What a server sends, read as strictly as the standards say that it has to be written.
import type { Version } from './client-packets.ts';
import { type PropertyName, readProperties } from './properties.ts';
import { Reader } from './reader.ts';

export interface ServerPacket {
  readonly type: string;
  readonly packetId?: number;
  /** Return code, or reason code. */
  readonly code?: number;
  readonly codes?: readonly number[];
  readonly sessionPresent?: boolean;
  readonly topic?: string;
  readonly payload?: string;
  readonly qos?: number;
  readonly retain?: boolean;
  readonly dup?: boolean;
  /** Empty where there are none. */
  readonly properties: Readonly<Record<string, unknown>>;
}

const reasons: readonly PropertyName[] = ['reasonString', 'userProperty'];
const ofConnack: readonly PropertyName[] = [
  ...reasons,
  'sessionExpiryInterval',
  'receiveMaximum',
  'maximumQos',
  'retainAvailable',
  'maximumPacketSize',
  'assignedClientIdentifier',
  'topicAliasMaximum',
  'wildcardSubscriptionAvailable',
  'subscriptionIdentifierAvailable',
  'sharedSubscriptionAvailable',
  'serverKeepAlive',
  'responseInformation',
  'serverReference',
  'authenticationMethod',
  'authenticationData',
];
const ofPublish: readonly PropertyName[] = [
  'payloadFormatIndicator',
  'messageExpiryInterval',
  'topicAlias',
  'responseTopic',
  'correlationData',
  'userProperty',
  'subscriptionIdentifier',
  'contentType',
];

const connackCodes = [
  0, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8c, 0x90, 0x95, 0x97, 0x99,
  0x9a, 0x9b, 0x9c, 0x9d, 0x9f,
];
const pubackCodes = [0, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99];
const pubrelCodes = [0, 0x92];
const subackCodes = [0, 1, 2, 0x80, 0x83, 0x87, 0x8f, 0x91, 0x97, 0x9e, 0xa1, 0xa2];
const unsubackCodes = [0, 0x11, 0x80, 0x83, 0x87, 0x8f, 0x91];
const disconnectCodes = [
  0, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8b, 0x8d, 0x8e, 0x8f, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97,
  0x98, 0x99, 0x9a, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f, 0xa0, 0xa1, 0xa2,
];

const acknowledgements: Readonly<Record<number, readonly [string, readonly number[]]>> = {
  4: ['puback', pubackCodes],
  5: ['pubrec', pubackCodes],
  6: ['pubrel', pubrelCodes],
  7: ['pubcomp', pubrelCodes],
};

/** One whole packet; throws where a server must not have sent it like this. */
export function readServerPacket(version: Version, bytes: Buffer): ServerPacket {
  const reader = new Reader(bytes, 1);
  reader.variable();
  const type = (bytes[0] ?? 0) >> 4;
  const flags = (bytes[0] ?? 0) & 0x0f;
  const found = read(version, type, flags, reader);
  if (reader.rest > 0) reader.fail('there is more than belongs to it');
  return found;
}

function read(version: Version, type: number, flags: number, reader: Reader): ServerPacket {
  if (type === 3) return readPublish(version, flags, reader);
  if (flags !== (type === 6 ? 2 : 0)) reader.fail('its flags are reserved [MQTT-2.1.3-1]');
  const acknowledgement = acknowledgements[type];
  if (acknowledgement !== undefined) {
    const [name, allowed] = acknowledgement;
    const packetId = nonZero(reader);
    return { type: name, packetId, ...readReason(version, reader, allowed) };
  }
  switch (type) {
    case 2:
      return readConnack(version, reader);
    case 9:
      return { type: 'suback', ...readCodes(version, reader, subackCodes, [0, 1, 2, 0x80]) };
    case 11:
      if (version === 5) return { type: 'unsuback', ...readCodes(5, reader, unsubackCodes, []) };
      return { type: 'unsuback', packetId: nonZero(reader), properties: {} };
    case 13:
      return { type: 'pingresp', properties: {} };
    case 14:
      if (version !== 5) reader.fail('MQTT 3.1.1 has no DISCONNECT from the server');
      return { type: 'disconnect', ...readReason(5, reader, disconnectCodes, ['serverReference']) };
    default:
      return reader.fail(`a server sends no packet of type ${type} here`);
  }
}

function readConnack(version: Version, reader: Reader): ServerPacket {
  const flags = reader.byte();
  if (flags > 1) reader.fail('bits 7 to 1 are reserved [MQTT-3.2.2-1]');
  const code = oneOf(reader, version === 5 ? connackCodes : [0, 1, 2, 3, 4, 5]);
  if (code !== 0 && flags !== 0) reader.fail('no session is present in a refusal [MQTT-3.2.2-6]');
  const properties = version === 5 ? readProperties(reader, ofConnack) : {};
  return { type: 'connack', sessionPresent: flags === 1, code, properties };
}

function readPublish(version: Version, flags: number, reader: Reader): ServerPacket {
  const qos = (flags >> 1) & 3;
  const dup = (flags & 8) !== 0;
  if (qos === 3) reader.fail('there is no QoS 3 [MQTT-3.3.1-4]');
  if (qos === 0 && dup) reader.fail('DUP must be 0 at QoS 0 [MQTT-3.3.1-2]');
  const topic = reader.text();
  if (/[+#]/.test(topic)) reader.fail('a topic has no wildcards [MQTT-3.3.2-2]');
  const packetId = qos > 0 ? nonZero(reader) : undefined;
  const properties = version === 5 ? readProperties(reader, ofPublish) : {};
  const payload = reader.take(reader.rest).toString();
  const retain = (flags & 1) !== 0;
  return {
    type: 'publish',
    topic,
    payload,
    qos,
    retain,
    dup,
    ...(packetId && { packetId }),
    properties,
  };
}

/** A reason and properties that are left out are success without properties. */
function readReason(
  version: Version,
  reader: Reader,
  allowed: readonly number[],
  more: readonly PropertyName[] = [],
): Pick<ServerPacket, 'code' | 'properties'> {
  if (version !== 5 || reader.rest === 0) return { code: 0, properties: {} };
  const code = oneOf(reader, allowed);
  if (reader.rest === 0) return { code, properties: {} };
  return { code, properties: readProperties(reader, [...reasons, ...more]) };
}

function readCodes(
  version: Version,
  reader: Reader,
  allowed5: readonly number[],
  allowed: readonly number[],
): Pick<ServerPacket, 'packetId' | 'codes' | 'properties'> {
  const packetId = nonZero(reader);
  const properties = version === 5 ? readProperties(reader, reasons) : {};
  const codes: number[] = [];
  while (reader.rest > 0) codes.push(oneOf(reader, version === 5 ? allowed5 : allowed));
  return { packetId, codes, properties };
}

function oneOf(reader: Reader, allowed: readonly number[]): number {
  const code = reader.byte();
  if (!allowed.includes(code)) reader.fail(`the code ${code} does not belong here`);
  return code;
}

function nonZero(reader: Reader): number {
  return reader.two() || reader.fail('a packet identifier is never 0 [MQTT-2.2.1-4]');
}
