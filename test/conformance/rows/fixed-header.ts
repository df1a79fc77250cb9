// The first bytes of a packet: its type, its flags and its Remaining Length [MQTT-2.1].
import { hex, packet, prefixed, u8, u16 } from '../bytes.ts';
import {
  acknowledgement,
  authPacket,
  connectPacket,
  disconnectPacket,
  pingreq,
  publishPacket,
  subscribePacket,
  unsubscribePacket,
  type Version,
} from '../client-packets.ts';
import { five, four } from '../row.ts';
import { connects, hasNothingMore, isClosed, opens, sends } from '../steps.ts';
import { closedInBoth, either, refusedAtFirst, refusedInBoth, refusedInFive } from './malformed.ts';

const valid: Readonly<Record<string, (version: Version) => Buffer>> = {
  PUBACK: () => acknowledgement('puback', 1),
  PUBREC: () => acknowledgement('pubrec', 1),
  PUBREL: () => acknowledgement('pubrel', 1),
  PUBCOMP: () => acknowledgement('pubcomp', 1),
  SUBSCRIBE: (version) => subscribePacket(version, 1, [{ filter: 'f', options: 0 }]),
  UNSUBSCRIBE: (version) => unsubscribePacket(version, 1, ['f']),
  PINGREQ: () => pingreq,
  DISCONNECT: () => disconnectPacket(),
};
const needsTwo = ['PUBREL', 'SUBSCRIBE', 'UNSUBSCRIBE'];

function withFlags(bytes: Buffer, flags: number): Buffer {
  const changed = Buffer.from(bytes);
  changed[0] = (changed.readUInt8() & 0xf0) | flags;
  return changed;
}

const flagsClauses: Readonly<Record<string, readonly [string, string]>> = {
  PUBREL: ['MQTT-3.6.1-1', 'MQTT-3.6.1-1'],
  SUBSCRIBE: ['MQTT-3.8.1-1', 'MQTT-3.8.1-1'],
  UNSUBSCRIBE: ['MQTT-3.10.1-1', 'MQTT-3.10.1-1'],
  DISCONNECT: ['MQTT-3.14.1-1', 'MQTT-3.14.1-1'],
};

const reservedFlags = Object.entries(valid).flatMap(([name, bytes]) => {
  const wrong = needsTwo.includes(name) ? [0, 3, 6, 10, 15] : [1, 2, 4, 8, 15];
  return wrong.flatMap((flags) =>
    refusedInBoth(
      flagsClauses[name] ?? ['MQTT-2.2.2-2', 'MQTT-2.1.3-1'],
      `${name} with flags ${flags} is malformed`,
      (version) => withFlags(bytes(version), flags),
      either,
    ),
  );
});

const connectFlags = [1, 2, 4, 8, 15].flatMap((flags) =>
  refusedAtFirst(
    ['MQTT-2.2.2-2', 'MQTT-2.1.3-1'],
    `CONNECT with flags ${flags} in its first byte is malformed`,
    (version) => withFlags(connectPacket(version), flags),
  ),
);

const authFlags = [1, 2, 4, 8, 15].map((flags) =>
  refusedInFive(
    'MQTT-3.15.1-1',
    `AUTH with flags ${flags} is malformed`,
    withFlags(authPacket(0x19), flags),
  ),
);

/** Packets that a server alone sends, and types that there are not. */
const foreignTypes = (
  [
    ['of type 0', hex('00 00')],
    ['CONNACK', hex('20 02 00 00')],
    ['SUBACK', hex('90 03 0001 00')],
    ['UNSUBACK', hex('b0 02 0001')],
    ['PINGRESP', hex('d0 00')],
  ] as const
).flatMap(([name, bytes]) =>
  refusedInBoth(['MQTT-4.8.0-1', 'MQTT-4.13.1-1'], `a client sends no packet ${name}`, bytes),
);

const firstPackets = Object.entries({
  ...valid,
  PUBLISH: (version: Version) => publishPacket(version, { topic: 't', payload: 'x' }),
  AUTH: () => authPacket(0x18),
  CONNACK: () => hex('20 02 00 00'),
  SUBACK: () => hex('90 03 0001 00'),
  UNSUBACK: () => hex('b0 02 0001'),
  PINGRESP: () => hex('d0 00'),
  'a packet of type 0': () => hex('00 00'),
}).flatMap(([name, bytes]) =>
  refusedAtFirst(
    ['MQTT-3.1.0-1', 'MQTT-3.1.0-1'],
    `${name} is not the first packet of a client`,
    bytes,
    [],
  ),
);

/** A Remaining Length of five bytes, in front of nothing. */
const tooLong = (first: number) => Buffer.concat([u8(first), hex('80 80 80 80 01')]);

const remainingLength = [
  ...['PUBLISH:30', 'SUBSCRIBE:82', 'PUBACK:40', 'PINGREQ:c0', 'DISCONNECT:e0'].flatMap((entry) => {
    const [name, first] = entry.split(':') as [string, string];
    return closedInBoth(
      ['MQTT-4.8.0-1', 'MQTT-1.5.5-1'],
      `${name} with a Remaining Length of five bytes is malformed`,
      tooLong(Number.parseInt(first, 16)),
    );
  }),
  ...refusedAtFirst(
    ['MQTT-3.1.4-1', 'MQTT-3.1.4-1'],
    'CONNECT with a Remaining Length of five bytes is malformed',
    tooLong(0x10),
  ),
];

/** Empty, cut within each field, and with a byte too many. */
function wrongLengths(
  name: string,
  first: number,
  fields: (version: Version) => readonly Buffer[],
) {
  const cut = (version: Version, bytes: number) =>
    packet(first, Buffer.concat([...fields(version)]).subarray(0, bytes));
  const lengths = { 4: lengthsOf(fields(4)), 5: lengthsOf(fields(5)) };
  return [
    ...lengths[4].map((bytes) =>
      four(
        'MQTT-4.8.0-1',
        `${name} that ends after ${bytes} bytes is malformed`,
        connects('c'),
        sends('c', cut(4, bytes)),
        isClosed('c'),
      ),
    ),
    ...lengths[5].map((bytes) =>
      five(
        'MQTT-4.13.1-1',
        `${name} that ends after ${bytes} bytes is malformed`,
        connects('c'),
        sends('c', cut(5, bytes)),
        isClosed('c', ...either),
      ),
    ),
  ];
}

/** Each number of bytes within a packet at which something of it is missing. */
function lengthsOf(fields: readonly Buffer[]): number[] {
  const total = fields.reduce((sum, { length }) => sum + length, 0);
  return Array.from({ length: total }, (_, bytes) => bytes);
}

const noProperties = (version: Version) => (version === 5 ? [hex('00')] : []);

const lengths = [
  ...wrongLengths('PUBLISH at QoS 1', 0x32, (version) =>
    version === 5 ? [prefixed('t'), u16(1), hex('00')] : [prefixed('t'), u16(1)],
  ),
  ...wrongLengths('SUBSCRIBE', 0x82, (version) => [
    u16(1),
    ...noProperties(version),
    prefixed('f'),
    u8(0),
  ]),
  ...wrongLengths('UNSUBSCRIBE', 0xa2, (version) => [
    u16(1),
    ...noProperties(version),
    prefixed('f'),
  ]),
  ...wrongLengths('PUBACK', 0x40, () => [u16(1)]),
  ...wrongLengths('PUBREC', 0x50, () => [u16(1)]),
  ...wrongLengths('PUBREL', 0x62, () => [u16(1)]),
  ...wrongLengths('PUBCOMP', 0x70, () => [u16(1)]),
  ...closedInBoth(
    ['MQTT-4.8.0-1', 'MQTT-4.13.1-1'],
    'PINGREQ with a byte is malformed',
    hex('c0 01 00'),
  ),
  ...(['PUBACK:40', 'PUBREC:50', 'PUBREL:62', 'PUBCOMP:70'] as const).map((entry) => {
    const [name, first] = entry.split(':') as [string, string];
    return four(
      'MQTT-4.8.0-1',
      `${name} with a byte too many is malformed`,
      connects('c'),
      sends('c', packet(Number.parseInt(first, 16), u16(1), u8(0))),
      isClosed('c'),
    );
  }),
  four(
    'MQTT-4.8.0-1',
    'DISCONNECT with a byte is malformed',
    connects('c'),
    sends('c', hex('e0 01 00')),
    isClosed('c'),
  ),
  four(
    'MQTT-3.1.0-2',
    'there is no packet of type 15',
    connects('c'),
    sends('c', hex('f0 00')),
    isClosed('c'),
  ),
];

/** What is allowed, beside what is not. */
const accepted = ([4, 5] as const).map((version) => ({
  version,
  clause: 'MQTT-3.12.4-1',
  title: 'a packet may come in pieces and together with others; PINGREQ is answered each time',
  steps: [
    opens('c'),
    sends('c', (run, { version }) =>
      connectPacket(version, { clientId: run.clientId('c') }).subarray(0, 7),
    ),
    sends('c', (run, { version }) =>
      Buffer.concat([
        connectPacket(version, { clientId: run.clientId('c') }).subarray(7),
        pingreq,
        pingreq.subarray(0, 1),
      ]),
    ),
    sends('c', pingreq.subarray(1)),
    async (run: import('../run.ts').Run) => {
      const client = run.client('c');
      await client.next('connack');
      await client.next('pingresp');
      await client.next('pingresp');
    },
    hasNothingMore('c'),
  ],
}));

export const fixedHeader = [
  ...reservedFlags,
  ...connectFlags,
  ...authFlags,
  ...foreignTypes,
  ...firstPackets,
  ...remainingLength,
  ...lengths,
  ...accepted,
];
