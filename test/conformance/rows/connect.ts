// CONNECT and CONNACK: what is let in, what is not, and what is said about it [MQTT-3.1, MQTT-3.2].
import { expect } from 'vitest';
import { hex, packet, prefixed, u8, u16 } from '../bytes.ts';
import { connectPacket, type Version } from '../client-packets.ts';
import { both, five, four, type Row, type Step } from '../row.ts';
import {
  connects,
  disconnects,
  hasNothingMore,
  isClosed,
  isRefused,
  opens,
  publishes,
  receives,
  sends,
  subscribes,
} from '../steps.ts';
import { either, refusedAtFirst, refusedInBoth } from './malformed.ts';

const noProperties = (version: Version) => (version === 5 ? hex('00') : Buffer.alloc(0));

/** CONNECT with these flags and this payload. */
const connect = (version: Version, flags: number, ...payload: readonly Buffer[]) =>
  packet(0x10, prefixed('MQTT'), u8(version), u8(flags), u16(0), noProperties(version), ...payload);

const clientId = prefixed('c');

/** Each flag that does not fit the others or the payload. */
const flagRows = (
  [
    ['MQTT-3.1.2-3', 'MQTT-3.1.2-3', 'the reserved flag', 0x03, [clientId]],
    ['MQTT-3.1.2-13', 'MQTT-3.1.2-11', 'Will QoS 1 without a will', 0x0a, [clientId]],
    ['MQTT-3.1.2-13', 'MQTT-3.1.2-11', 'Will QoS 2 without a will', 0x12, [clientId]],
    ['MQTT-3.1.2-15', 'MQTT-3.1.2-13', 'Will Retain without a will', 0x22, [clientId]],
    [
      'MQTT-3.1.2-11',
      'MQTT-3.1.2-9',
      'a will that its flag does not name',
      0x02,
      [clientId, prefixed('t'), prefixed('x')],
    ],
    ['MQTT-3.1.2-9', 'MQTT-3.1.2-9', 'a will that is not there', 0x06, [clientId]],
    ['MQTT-3.1.2-9', 'MQTT-3.1.2-9', 'a will without a payload', 0x06, [clientId, prefixed('t')]],
    ['MQTT-3.1.2-19', 'MQTT-3.1.2-17', 'a user name that is not there', 0x82, [clientId]],
    [
      'MQTT-3.1.2-21',
      'MQTT-3.1.2-19',
      'a password that is not there',
      0xc2,
      [clientId, prefixed('u')],
    ],
    [
      'MQTT-3.1.2-18',
      'MQTT-3.1.2-16',
      'a user name that its flag does not name',
      0x02,
      [clientId, prefixed('u')],
    ],
    [
      'MQTT-3.1.2-20',
      'MQTT-3.1.2-18',
      'a password that its flag does not name',
      0x82,
      [clientId, prefixed('u'), prefixed('p')],
    ],
    ['MQTT-3.1.3-3', 'MQTT-3.1.3-3', 'no client identifier', 0x02, []],
    ['MQTT-3.1.3-3', 'MQTT-3.1.3-3', 'half a client identifier', 0x02, [hex('00 05 61')]],
  ] as const
).flatMap(([clause311, clause5, what, flags, payload]) =>
  refusedAtFirst(
    [clause311, clause5],
    `${what} is refused`,
    (version) => connect(version, flags, ...payload),
    [...either, 0x85],
  ),
);

const willRows = [
  ...refusedAtFirst(
    ['MQTT-3.1.2-14', 'MQTT-3.1.2-12'],
    'Will QoS 3 is refused',
    (version) => connectPacket(version, { will: { topic: 't', qos: 3 } }),
    [...either, 0x9b],
  ),
  ...['', '#', 'a/+', 'a/#'].flatMap((topic) =>
    refusedAtFirst(
      [
        topic === '' ? 'MQTT-4.7.3-1' : 'MQTT-4.7.1-1',
        topic === '' ? 'MQTT-4.7.3-1' : 'MQTT-4.7.0-1',
      ],
      `${JSON.stringify(topic)} is no topic of a will`,
      (version) => connectPacket(version, { will: { topic } }),
      [...either, 0x90],
    ),
  ),
];

/** Names and levels that are not of MQTT 3.1, 3.1.1 or 5. */
const protocolRows: readonly Row[] = [
  ...refusedAtFirst(
    ['MQTT-3.1.2-1', 'MQTT-3.1.2-1'],
    'another protocol name is refused',
    (version) => connectPacket(version, { protocolName: 'MQTX' }),
    [...either, 0x84],
  ),
  ...refusedAtFirst(
    ['MQTT-3.1.2-1', 'MQTT-3.1.2-1'],
    'the protocol name in small letters is refused',
    (version) => connectPacket(version, { protocolName: 'mqtt' }),
    [...either, 0x84],
  ),
  ...refusedAtFirst(
    ['MQTT-3.1.2-1', 'MQTT-3.1.2-1'],
    'an empty protocol name is refused',
    (version) => connectPacket(version, { protocolName: '' }),
    [...either, 0x84],
  ),
  // A server that knows MQTT 5 says so in its words, whatever level was asked for.
  ...[0, 2, 6, 127].map((level) =>
    five(
      'MQTT-3.1.2-2',
      `the protocol level ${level} is refused`,
      opens('c'),
      sends('c', connectPacket(5, { level })),
      isClosed('c', 0x84),
    ),
  ),
  four(
    'MQTT-3.1.2-2',
    'MQTT 3.1 is spoken too',
    connects('c', { version: 3 }),
    hasNothingMore('c'),
  ),
];

const order: readonly Row[] = [
  ...refusedInBoth(
    ['MQTT-3.1.0-2', 'MQTT-3.1.0-2'],
    'a second CONNECT closes the connection',
    (version) => connectPacket(version),
    [0x82],
  ),
  ...both(
    'MQTT-3.1.4-2',
    'MQTT-3.1.4-3',
    'a client that connects again closes its earlier connection',
    connects('first'),
    connects('second', { as: 'first' }),
    isClosed('first', 0x8e),
    hasNothingMore('second'),
  ),
];

/** Client ids are shared by all rows of a server, so these have the row's own in front. */
const own =
  (make: (prefix: string) => string, steps: (clientId: string) => readonly Step[]): Step =>
  async (run) => {
    for (const step of steps(make(run.prefix))) await step(run);
  };

const identifiers: readonly Row[] = [
  ...both(
    'MQTT-3.1.3-5',
    'MQTT-3.1.3-5',
    'a client identifier of 23 letters and digits is let in',
    own(
      (prefix) => prefix.padEnd(23, 'aZ9'),
      (clientId) => [connects('c', { clientId }), hasNothingMore('c')],
    ),
  ),
  ...both(
    'MQTT-3.1.3-5',
    'MQTT-3.1.3-5',
    'a client identifier of one letter is let in',
    connects('c', { clientId: 'Q' }),
  ),
  four(
    'MQTT-3.1.3-6',
    'a client without identifier is let in with a clean session',
    connects('c', { clientId: '', resumed: false }),
    hasNothingMore('c'),
  ),
  four(
    'MQTT-3.1.3-8',
    'a client without identifier is refused with 0x02 without a clean session',
    isRefused('c', { clientId: '', clean: false }, [2]),
  ),
  ...both(
    'MQTT-3.1.3-9',
    'MQTT-3.1.3-8',
    'a client identifier of 65,535 bytes is let in, or refused as one',
    opens('c'),
    sends('c', (_, { version }) => connectPacket(version, { clientId: 'c'.repeat(65_535) })),
    async (run) => {
      const { code } = await run.client('c').next('connack');
      expect([0, run.version === 5 ? 0x85 : 2]).toContain(code);
      if (code !== 0) await run.client('c').closed();
    },
  ),
  five(
    'MQTT-3.1.3-7',
    'a client without identifier is told the one that it got',
    connects('c', {
      clientId: '',
      connack: { assignedClientIdentifier: expect.stringMatching(/.+/) },
    }),
    hasNothingMore('c'),
  ),
  five(
    'MQTT-3.2.2-16',
    'two clients without identifier get different ones',
    connects('a', { clientId: '' }),
    connects('b', { clientId: '' }),
    async (run) => {
      const [a, b] = ['a', 'b'].map(
        (name) => run.client(name).connack?.properties['assignedClientIdentifier'],
      );
      expect(a).not.toBe(b);
    },
    hasNothingMore('a'),
  ),
  five(
    'MQTT-3.1.3-6',
    'a client without identifier may keep a session under the one that it got',
    connects('c', { clientId: '', clean: false, properties: { sessionExpiryInterval: 60 } }),
    async (run) => {
      const clientId = String(run.client('c').connack?.properties['assignedClientIdentifier']);
      await disconnects('c')(run);
      await connects('c', { clientId, keep: true, resumed: true })(run);
    },
  ),
];

const acceptance: readonly Row[] = [
  ...both(
    'MQTT-3.1.4-4',
    'MQTT-3.1.4-5',
    'a right CONNECT is answered with CONNACK 0',
    connects('c', { resumed: false }),
    hasNothingMore('c'),
  ),
  four('MQTT-3.1.2-22', 'a password needs a user name', isRefused('c', { password: 'p' }, [])),
  five(
    'MQTT-3.1.2-19',
    'a password may come without a user name',
    opens('c'),
    sends('c', (run) => connectPacket(5, { clientId: run.clientId('c'), password: 'p' })),
    async (run) => {
      // Let in, or refused as a login is; not as malformed.
      const { code } = await run.client('c').next('connack');
      expect([0, 0x86, 0x87]).toContain(code);
    },
  ),
  ...[0, 1, 60, 65_535].flatMap((keepAliveSeconds) =>
    both(
      'MQTT-3.1.2-24',
      'MQTT-3.2.2-22',
      `a Keep Alive of ${keepAliveSeconds} s is let in`,
      connects('c', { keepAliveSeconds }),
      hasNothingMore('c'),
    ),
  ),
  ...both(
    'MQTT-3.1.4-5',
    'MQTT-3.1.4-6',
    'what follows a CONNECT that is refused is not looked at',
    connects('s'),
    subscribes('s', 't', 1),
    opens('c'),
    sends('c', (run, { version }) =>
      Buffer.concat([
        connectPacket(version, { clientId: run.clientId('c'), flags: 0x03 }),
        packet(0x30, prefixed(run.topic('t')), noProperties(version), Buffer.from('x')),
      ]),
    ),
    isClosed('c', ...either),
    hasNothingMore('s'),
  ),
  ...both(
    'MQTT-3.1.4-4',
    'MQTT-3.2.0-1',
    'what a client sends with its CONNECT is answered after CONNACK',
    connects('s'),
    subscribes('s', 't', 1),
    opens('c'),
    sends('c', (run, { version }) =>
      Buffer.concat([
        connectPacket(version, { clientId: run.clientId('c') }),
        packet(0x30, prefixed(run.topic('t')), noProperties(version), Buffer.from('x')),
      ]),
    ),
    async (run) => {
      expect(await run.client('c').next('connack')).toMatchObject({ code: 0 });
    },
    receives('s', { topic: 't', payload: 'x' }),
  ),
];

const information: readonly Row[] = [
  five(
    'MQTT-3.1.2-28',
    'Response Information comes only where it was requested',
    connects('c', { properties: { requestResponseInformation: 0 } }),
    async (run) => {
      expect(run.client('c').connack?.properties).not.toHaveProperty('responseInformation');
    },
  ),
  five(
    'MQTT-4.12.0-6',
    'without an Authentication Method CONNACK has none',
    connects('c'),
    async (run) => {
      expect(run.client('c').connack?.properties).not.toHaveProperty('authenticationMethod');
    },
  ),
  five(
    'MQTT-4.12.0-1',
    'an Authentication Method that the server does not know is refused',
    isRefused('c', { properties: { authenticationMethod: 'no-such-method' } }, [0x8c, 0x87]),
  ),
  five(
    'MQTT-4.12.0-1',
    'nor with data',
    isRefused(
      'c',
      { properties: { authenticationMethod: 'no-such-method', authenticationData: 'x' } },
      [0x8c, 0x87],
    ),
  ),
  five(
    'MQTT-3.1.2-24',
    'a CONNACK that is larger than the client takes is not sent',
    opens('c'),
    sends('c', (run, client) => {
      client.maximumPacketSize = 5;
      return connectPacket(5, {
        clientId: run.clientId('c'),
        properties: { maximumPacketSize: 5 },
      });
    }),
    async (run) => {
      // Without it no other packet may be sent either [MQTT-3.2.0-1].
      for (const { type } of await run.client('c').closed()) expect(type).toBe('connack');
    },
  ),
  five(
    'MQTT-3.2.2-8',
    'user properties of CONNECT are taken',
    connects('c', {
      properties: {
        userProperty: [
          ['a', 'b'],
          ['a', 'c'],
        ],
      },
    }),
    hasNothingMore('c'),
  ),
  five(
    'MQTT-3.2.2-9',
    'all QoS levels are there, or CONNACK says which',
    connects('c'),
    async (run) => {
      expect(run.client('c').connack?.properties).not.toHaveProperty('maximumQos');
    },
    publishes('c', { topic: 't', payload: 'x', qos: 2 }),
  ),
];

export const connectRows = [
  ...flagRows,
  ...willRows,
  ...protocolRows,
  ...order,
  ...identifiers,
  ...acceptance,
  ...information,
];
