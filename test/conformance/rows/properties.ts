// The properties of MQTT 5 in what a client sends: where each belongs, how often, and with which values [MQTT-2.2.2].
import { hex, packet, prefixed, u8, u16, u32 } from '../bytes.ts';
import {
  acknowledgement,
  authPacket,
  connectPacket,
  disconnectPacket,
  publishPacket,
  subscribePacket,
  unsubscribePacket,
} from '../client-packets.ts';
import { type Properties, type PropertyName, type PropertyValue, property } from '../properties.ts';
import { five, type Row } from '../row.ts';
import { connects, isClosed, opens, sends } from '../steps.ts';
import { either, malformed, protocolError } from './malformed.ts';

/** A value that is right wherever the property belongs. */
const samples: Readonly<Record<PropertyName, PropertyValue>> = {
  payloadFormatIndicator: 1,
  messageExpiryInterval: 60,
  contentType: 'text/plain',
  responseTopic: 'answers',
  correlationData: 'id',
  subscriptionIdentifier: 7,
  sessionExpiryInterval: 60,
  assignedClientIdentifier: 'id',
  serverKeepAlive: 60,
  authenticationMethod: 'plain',
  authenticationData: 'secret',
  requestProblemInformation: 1,
  willDelayInterval: 1,
  requestResponseInformation: 1,
  responseInformation: 'answers/',
  serverReference: 'other',
  reasonString: 'because',
  receiveMaximum: 10,
  topicAliasMaximum: 10,
  topicAlias: 1,
  maximumQos: 1,
  retainAvailable: 1,
  userProperty: [['name', 'value']],
  maximumPacketSize: 1000,
  wildcardSubscriptionAvailable: 1,
  subscriptionIdentifierAvailable: 1,
  sharedSubscriptionAvailable: 1,
};
const names = Object.keys(samples) as PropertyName[];

interface Place {
  readonly name: string;
  readonly allowed: readonly PropertyName[];
  readonly bytes: (properties: Properties | Buffer) => Buffer;
  /** A packet that opens the connection. */
  readonly isFirst?: true;
  /** What comes before it on the connection. */
  readonly before?: readonly Buffer[];
}

const acknowledgementPlace = (type: 'puback' | 'pubrec' | 'pubrel' | 'pubcomp'): Place => ({
  name: type.toUpperCase(),
  allowed: ['reasonString', 'userProperty'],
  bytes: (properties) => acknowledgement(type, 1, 0, properties),
});

const messageProperties = [
  'payloadFormatIndicator',
  'messageExpiryInterval',
  'contentType',
  'responseTopic',
  'correlationData',
  'userProperty',
] as const;

const places: readonly Place[] = [
  {
    name: 'CONNECT',
    allowed: [
      'sessionExpiryInterval',
      'receiveMaximum',
      'maximumPacketSize',
      'topicAliasMaximum',
      'requestResponseInformation',
      'requestProblemInformation',
      'userProperty',
      'authenticationMethod',
      'authenticationData',
    ],
    bytes: (properties) => connectPacket(5, { properties }),
    isFirst: true,
  },
  {
    name: 'the will',
    allowed: [...messageProperties, 'willDelayInterval'],
    bytes: (properties) => connectPacket(5, { will: { topic: 't', properties } }),
    isFirst: true,
  },
  {
    name: 'PUBLISH',
    allowed: [...messageProperties, 'topicAlias'],
    bytes: (properties) => publishPacket(5, { topic: 't', properties }),
  },
  ...(['puback', 'pubrec', 'pubrel', 'pubcomp'] as const).map(acknowledgementPlace),
  {
    name: 'SUBSCRIBE',
    allowed: ['subscriptionIdentifier', 'userProperty'],
    bytes: (properties) => subscribePacket(5, 1, [{ filter: 'f', options: 0 }], properties),
  },
  {
    name: 'UNSUBSCRIBE',
    allowed: ['userProperty'],
    bytes: (properties) => unsubscribePacket(5, 1, ['f'], properties),
  },
  {
    name: 'DISCONNECT',
    allowed: ['sessionExpiryInterval', 'reasonString', 'userProperty'],
    bytes: (properties) => disconnectPacket(4, properties),
  },
  {
    name: 'AUTH',
    allowed: ['authenticationMethod', 'authenticationData', 'reasonString', 'userProperty'],
    bytes: (properties) => authPacket(0x19, properties),
  },
];

function refused(
  place: Place,
  clause: string,
  title: string,
  properties: Properties | Buffer,
  reasons: readonly number[],
): Row {
  const sent = place.bytes(properties);
  // AUTH is refused anyway where no authentication method was agreed on; so may a method in CONNECT be.
  const all = [...reasons, ...(['AUTH', 'CONNECT'].includes(place.name) ? [0x8c, 0x87] : [])];
  const connection = place.isFirst ? opens('c') : connects('c');
  return five(clause, title, connection, sends('c', sent), isClosed('c', ...all));
}

const misplaced = places.flatMap((place) =>
  names
    .filter((name) => !place.allowed.includes(name))
    .map((name) =>
      refused(
        place,
        place.name === 'PUBLISH' && name === 'subscriptionIdentifier'
          ? 'MQTT-3.3.4-6'
          : 'MQTT-4.13.1-1',
        `${name} does not belong in ${place.name}`,
        { [name]: samples[name] },
        either,
      ),
    ),
);

const repeated = places.flatMap((place) =>
  place.allowed
    .filter((name) => name !== 'userProperty')
    .map((name) =>
      refused(
        place,
        'MQTT-4.13.1-1',
        `${name} comes once in ${place.name}`,
        Buffer.concat([property(name, samples[name]), property(name, samples[name])]),
        either,
      ),
    ),
);

/** A Property Length that says too much or too little, or is none, and identifiers that no property has. */
const broken = places.flatMap((place) => [
  ...[0x00, 0x04, 0x7f].map((id) =>
    refused(
      place,
      'MQTT-4.13.1-1',
      `no property of ${place.name} has the identifier ${id}`,
      Buffer.concat([u8(id), u8(0)]),
      either,
    ),
  ),
  refused(
    place,
    'MQTT-1.5.5-1',
    `an identifier of five bytes in ${place.name} is malformed`,
    hex('80 80 80 80 01 00'),
    either,
  ),
  refused(
    place,
    'MQTT-4.13.1-1',
    `a property of ${place.name} that ends too early is malformed`,
    hex('26 0001 61 00'),
    either,
  ),
]);

const values: readonly (readonly [string, string, string, number | string])[] = [
  ['CONNECT', 'MQTT-4.13.1-1', 'receiveMaximum', 0],
  ['CONNECT', 'MQTT-4.13.1-1', 'maximumPacketSize', 0],
  ['CONNECT', 'MQTT-4.13.1-1', 'requestResponseInformation', 2],
  ['CONNECT', 'MQTT-4.13.1-1', 'requestResponseInformation', 255],
  ['CONNECT', 'MQTT-4.13.1-1', 'requestProblemInformation', 2],
  ['CONNECT', 'MQTT-4.13.1-1', 'requestProblemInformation', 255],
  ['the will', 'MQTT-4.13.1-1', 'payloadFormatIndicator', 2],
  ['the will', 'MQTT-3.3.2-14', 'responseTopic', 'a/+'],
  ['the will', 'MQTT-3.3.2-14', 'responseTopic', '#'],
  ['PUBLISH', 'MQTT-4.13.1-1', 'payloadFormatIndicator', 2],
  ['PUBLISH', 'MQTT-4.13.1-1', 'payloadFormatIndicator', 255],
  ['PUBLISH', 'MQTT-3.3.2-14', 'responseTopic', 'a/+'],
  ['PUBLISH', 'MQTT-3.3.2-14', 'responseTopic', 'a/#'],
  ['PUBLISH', 'MQTT-3.3.2-8', 'topicAlias', 0],
  ['SUBSCRIBE', 'MQTT-4.13.1-1', 'subscriptionIdentifier', 0],
];

const outOfRange = values.map(([name, clause, key, value]) => {
  const place = places.find((each) => each.name === name) as Place;
  return refused(
    place,
    clause,
    `${key} of ${name} is not ${JSON.stringify(value)}`,
    { [key]: value },
    [...either, 0x90, 0x94],
  );
});

/** Packets by their own bytes, as the length of the properties is wrong. */
const wrongLengths: readonly (readonly [string, Buffer])[] = [
  ['PUBLISH whose properties are longer than it', packet(0x30, prefixed('t'), u8(9), hex('01 01'))],
  ['PUBLISH without a Property Length', packet(0x30, prefixed('t'))],
  ['PUBLISH whose Property Length is not whole', packet(0x30, prefixed('t'), hex('80'))],
  [
    'PUBLISH with a Property Length of five bytes',
    packet(0x30, prefixed('t'), hex('80 80 80 80 01')),
  ],
  [
    'PUBLISH whose Property Length cuts a property',
    packet(0x30, prefixed('t'), u8(3), hex('02'), u32(60)),
  ],
  [
    'SUBSCRIBE whose properties are longer than it',
    packet(0x82, u16(1), u8(40), hex('0b 07'), prefixed('f'), u8(0)),
  ],
  [
    'SUBSCRIBE with a subscription identifier of five bytes',
    packet(0x82, u16(1), u8(6), hex('0b 80 80 80 80 01'), prefixed('f'), u8(0)),
  ],
  ['UNSUBSCRIBE whose properties are longer than it', packet(0xa2, u16(1), u8(40), prefixed('f'))],
  ['PUBACK whose properties are longer than it', packet(0x40, u16(1), u8(0), u8(9))],
  ['PUBREC whose properties are longer than it', packet(0x50, u16(1), u8(0), u8(9))],
  ['PUBREL whose properties are longer than it', packet(0x62, u16(1), u8(0), u8(9))],
  ['PUBCOMP whose properties are longer than it', packet(0x70, u16(1), u8(0), u8(9))],
  ['PUBACK with a byte behind its properties', packet(0x40, u16(1), u8(0), u8(0), u8(0))],
  ['PUBREC with a byte behind its properties', packet(0x50, u16(1), u8(0), u8(0), u8(0))],
  ['PUBREL with a byte behind its properties', packet(0x62, u16(1), u8(0), u8(0), u8(0))],
  ['PUBCOMP with a byte behind its properties', packet(0x70, u16(1), u8(0), u8(0), u8(0))],
  ['DISCONNECT whose properties are longer than it', packet(0xe0, u8(0), u8(9))],
  ['DISCONNECT with a byte behind its properties', packet(0xe0, u8(0), u8(0), u8(0))],
];

const lengths = wrongLengths.map(([title, bytes]) =>
  five(
    'MQTT-4.13.1-1',
    `${title} is malformed`,
    connects('c'),
    sends('c', bytes),
    isClosed('c', malformed, protocolError),
  ),
);

const connection = [
  refused(
    places[0] as Place,
    'MQTT-4.12.0-1',
    'authentication data needs a method',
    { authenticationData: 'secret' },
    [protocolError],
  ),
  five(
    'MQTT-3.1.4-1',
    'CONNECT whose properties are longer than it is malformed',
    opens('c'),
    sends('c', packet(0x10, prefixed('MQTT'), hex('05 02 0000 40'), prefixed('c'))),
    isClosed('c', ...either),
  ),
];

export const properties = [
  ...misplaced,
  ...repeated,
  ...broken,
  ...outOfRange,
  ...lengths,
  ...connection,
];
