// PUBLISH, its acknowledgements, SUBSCRIBE, UNSUBSCRIBE, DISCONNECT and AUTH that break a rule.
import { hex, packet, prefixed, u8, u16 } from '../bytes.ts';
import {
  acknowledgement,
  authPacket,
  disconnectPacket,
  publishPacket,
  subscribePacket,
  unsubscribePacket,
} from '../client-packets.ts';
import { five, type Row } from '../row.ts';
import { answers, connects, hasNothingMore, isClosed, isClosedSomehow, sends } from '../steps.ts';
import { either, malformed, protocolError, refusedInBoth, refusedInFive } from './malformed.ts';

const topicName = 0x90;
const topicFilter = 0x8f;

const publish: readonly Row[] = [
  ...[0x36, 0x37, 0x3e, 0x3f].flatMap((first) =>
    refusedInBoth(
      ['MQTT-3.3.1-4', 'MQTT-3.3.1-4'],
      `PUBLISH ${first.toString(16)} at QoS 3 is malformed`,
      (version) =>
        packet(first, prefixed('t'), u16(1), version === 5 ? hex('00') : Buffer.alloc(0)),
      either,
    ),
  ),
  ...[true, false].flatMap((retain) =>
    refusedInBoth(
      ['MQTT-3.3.1-2', 'MQTT-3.3.1-2'],
      `DUP at QoS 0${retain ? ' with RETAIN' : ''} is malformed`,
      (version) => publishPacket(version, { topic: 't', dup: true, retain }),
      either,
    ),
  ),
  ...[1, 2].flatMap((qos) =>
    refusedInBoth(
      ['MQTT-2.3.1-1', 'MQTT-2.2.1-3'],
      `PUBLISH at QoS ${qos} with the packet identifier 0 is refused`,
      (version) => publishPacket(version, { topic: 't', qos, packetId: 0 }),
      either,
    ),
  ),
  ...['#', '+', 'a/#', 'a/+', '+/a', 'a+', 'a#', 'a/b+/c'].flatMap((topic) =>
    [0, 1].flatMap((qos) =>
      refusedInBoth(
        ['MQTT-3.3.2-2', 'MQTT-3.3.2-2'],
        `${JSON.stringify(topic)} is no topic, at QoS ${qos}`,
        (version) => publishPacket(version, { topic, qos }),
        [...either, topicName],
      ),
    ),
  ),
  ...[0, 1, 2].flatMap((qos) =>
    refusedInBoth(
      ['MQTT-4.7.3-1', 'MQTT-4.7.3-1'],
      `an empty topic is none, at QoS ${qos}`,
      (version) => publishPacket(version, { topic: '', qos }),
      [...either, topicName],
    ),
  ),
];

const names = { puback: 'PUBACK', pubrec: 'PUBREC', pubrel: 'PUBREL', pubcomp: 'PUBCOMP' } as const;
const types = ['puback', 'pubrec', 'pubrel', 'pubcomp'] as const;

const allowedReasons = {
  puback: [0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99],
  pubrec: [0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99],
  pubrel: [0x00, 0x92],
  pubcomp: [0x00, 0x92],
};
const reasonClauses = {
  puback: 'MQTT-3.4.2-1',
  pubrec: 'MQTT-3.5.2-1',
  pubrel: 'MQTT-3.6.2-1',
  pubcomp: 'MQTT-3.7.2-1',
};

const acknowledgements: readonly Row[] = types.flatMap((type) => [
  ...refusedInBoth(
    ['MQTT-2.3.1-6', 'MQTT-2.2.1-5'],
    `${names[type]} with the packet identifier 0 is refused`,
    acknowledgement(type, 0),
    either,
  ),
  ...[0x01, 0x04, 0x11, 0x18, 0x7f, 0x81, 0x8f, 0xff].map((reason) =>
    refusedInFive(
      reasonClauses[type],
      `${names[type]} has no reason ${reason.toString(16)}`,
      acknowledgement(type, 1, reason),
      either,
    ),
  ),
]);

/** An identifier that is not in use: no fault of the protocol [MQTT-4.13.1-1], and nothing to close for. */
const unknown: readonly Row[] = [
  five(
    'MQTT-4.3.3-11',
    'PUBREL of a packet identifier that is not in use is answered',
    connects('c'),
    sends('c', acknowledgement('pubrel', 77)),
    answers('c', 'pubcomp', { packetId: 77 }),
    hasNothingMore('c'),
  ),
  five(
    'MQTT-3.7.2-1',
    'PUBREL may say 0x92, with a reason',
    connects('c'),
    sends('c', acknowledgement('pubrel', 78, 0x92, { reasonString: 'lost' })),
    answers('c', 'pubcomp', { packetId: 78 }),
    hasNothingMore('c'),
  ),
  ...types.slice(0, 2).flatMap((type) =>
    allowedReasons[type]
      .filter((reason) => reason < 0x80)
      .map((reason) =>
        five(
          reasonClauses[type],
          `${names[type]} may say ${reason.toString(16)}`,
          connects('c'),
          sends('c', acknowledgement(type, 79, reason, {})),
          async (run) => {
            // PUBREC of an identifier that is not in use is answered by PUBREL, with or without 0x92.
            if (type === 'pubrec') await answers('c', 'pubrel', { packetId: 79 })(run);
          },
          hasNothingMore('c'),
        ),
      ),
  ),
];

const withOptions = (options: number) => (version: 3 | 4 | 5) =>
  subscribePacket(version, 1, [{ filter: 'f', options }]);

const badFilters = ['', 'a#', 'a/#/b', '#/a', 'a+', 'a/+b', 'a/b+/c', '##', '++', 'a/##'];

const subscribe: readonly Row[] = [
  ...refusedInBoth(
    ['MQTT-3.8.3-3', 'MQTT-3.8.3-2'],
    'SUBSCRIBE without a filter is refused',
    (version) => subscribePacket(version, 1, []),
    either,
  ),
  ...refusedInBoth(
    ['MQTT-2.3.1-1', 'MQTT-2.2.1-3'],
    'SUBSCRIBE with the packet identifier 0 is refused',
    (version) => subscribePacket(version, 0, [{ filter: 'f', options: 0 }]),
    either,
  ),
  ...[3, 0x40, 0x80, 0xff].flatMap((options) =>
    refusedInBoth(
      ['MQTT-3.8.3-4', 'MQTT-3.8.3-5'],
      `SUBSCRIBE with the options ${options.toString(16)} is malformed`,
      withOptions(options),
      either,
    ),
  ),
  ...[0x04, 0x08, 0x10, 0x20, 0x2c].map((options) => ({
    version: 4 as const,
    clause: 'MQTT-3.8.3-4',
    title: `SUBSCRIBE with the options ${options.toString(16)} of MQTT 5 is malformed`,
    steps: [connects('c'), sends('c', withOptions(options)(4)), isClosed('c')],
  })),
  refusedInFive('MQTT-3.8.3-5', 'there is no Retain Handling 3', withOptions(0x30)(5), either),
  refusedInFive(
    'MQTT-3.8.3-4',
    'a shared subscription has no No Local',
    subscribePacket(5, 1, [{ filter: '$share/g/t', options: 0x04 }]),
    [protocolError],
  ),
  ...badFilters.flatMap((filter) =>
    refusedInBoth(
      filterClauses(filter),
      `SUBSCRIBE to ${JSON.stringify(filter)} is refused`,
      (version) => subscribePacket(version, 1, [{ filter, options: 0 }]),
      [...either, topicFilter],
    ),
  ),
  ...[
    '$share//t',
    '$share/g',
    '$share/g/',
    '$share/g+/t',
    '$share/#/t',
    '$share/',
    '$share/+/t',
  ].map((filter) =>
    refusedInFive(
      filter.startsWith('$share//') || filter === '$share/' ? 'MQTT-4.8.2-1' : 'MQTT-4.8.2-2',
      `SUBSCRIBE to ${JSON.stringify(filter)} is refused`,
      subscribePacket(5, 1, [{ filter, options: 0 }]),
      [...either, topicFilter],
    ),
  ),
  ...refusedInBoth(
    ['MQTT-3.8.3-4', 'MQTT-3.8.3-5'],
    'SUBSCRIBE whose second filter is wrong is refused whole',
    (version) =>
      subscribePacket(version, 1, [
        { filter: 'f', options: 0 },
        { filter: 'g', options: 3 },
      ]),
    either,
  ),
];

function filterClauses(filter: string): readonly [string, string] {
  if (filter === '') return ['MQTT-4.7.3-1', 'MQTT-4.7.3-1'];
  return filter.includes('#') ? ['MQTT-4.7.1-2', 'MQTT-4.7.1-1'] : ['MQTT-4.7.1-3', 'MQTT-4.7.1-2'];
}

const unsubscribe: readonly Row[] = [
  ...refusedInBoth(
    ['MQTT-3.10.3-2', 'MQTT-3.10.2-2'],
    'UNSUBSCRIBE without a filter is refused',
    (version) => unsubscribePacket(version, 1, []),
    either,
  ),
  ...refusedInBoth(
    ['MQTT-2.3.1-1', 'MQTT-2.2.1-3'],
    'UNSUBSCRIBE with the packet identifier 0 is refused',
    (version) => unsubscribePacket(version, 0, ['f']),
    either,
  ),
  ...badFilters.flatMap((filter) =>
    refusedInBoth(
      filterClauses(filter),
      `UNSUBSCRIBE from ${JSON.stringify(filter)} is refused`,
      (version) => unsubscribePacket(version, 1, [filter]),
      [...either, topicFilter],
    ),
  ),
];

const allowedAtDisconnect = [
  0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99,
];

const disconnect: readonly Row[] = [
  ...[0x01, 0x05, 0x10, 0x7f, 0x86, 0x8c, 0xff].map((reason) =>
    five(
      'MQTT-3.14.2-1',
      `DISCONNECT has no reason ${reason.toString(16)}`,
      connects('c'),
      sends('c', disconnectPacket(reason)),
      isClosedSomehow('c', ...either),
    ),
  ),
  ...allowedAtDisconnect.map((reason) =>
    five(
      'MQTT-3.14.4-2',
      `DISCONNECT ${reason.toString(16)} closes the connection without an answer`,
      connects('c'),
      sends('c', disconnectPacket(reason)),
      isClosed('c'),
    ),
  ),
  five(
    'MQTT-3.14.2-2',
    'a session that was to end with its connection cannot be kept by DISCONNECT',
    connects('c'),
    sends('c', disconnectPacket(0, { sessionExpiryInterval: 60 })),
    isClosed('c', protocolError),
  ),
  ...([4, 5] as const).map((version) => ({
    version,
    clause: version === 4 ? 'MQTT-3.14.4-1' : 'MQTT-3.14.4-2',
    title: 'DISCONNECT closes the connection, and what follows it is not answered',
    steps: [
      connects('c'),
      sends('c', Buffer.concat([disconnectPacket(), hex('c0 00')])),
      isClosed('c'),
    ],
  })),
];

const auth: readonly Row[] = [
  ...[0x00, 0x18, 0x19].map((reason) =>
    refusedInFive(
      'MQTT-4.12.0-7',
      `AUTH ${reason.toString(16)} without an Authentication Method in CONNECT is refused`,
      authPacket(reason, { authenticationMethod: 'plain' }),
      [...either, 0x8c],
    ),
  ),
  refusedInFive('MQTT-4.12.0-7', 'so is one that is empty', authPacket(), [...either, 0x8c]),
  ...[0x01, 0x80, 0x8c, 0xff].map((reason) =>
    refusedInFive(
      'MQTT-3.15.2-1',
      `AUTH has no reason ${reason.toString(16)}`,
      authPacket(reason, { authenticationMethod: 'plain' }),
      [...either, 0x8c],
    ),
  ),
  refusedInFive(
    'MQTT-3.15.2-1',
    'AUTH cut within its properties is malformed',
    packet(0xf0, u8(0x19), u8(9), hex('15 00')),
    [malformed, protocolError, 0x8c],
  ),
];

export const packets = [
  ...publish,
  ...acknowledgements,
  ...unknown,
  ...subscribe,
  ...unsubscribe,
  ...disconnect,
  ...auth,
];
