// Messages from a publisher to its subscribers: QoS flows, order, retries, overlaps [MQTT-4.3 to MQTT-4.7].
import { expect } from 'vitest';
import { acknowledgement, publishPacket } from '../client-packets.ts';
import { both, five, type Row } from '../row.ts';
import {
  answers,
  connects,
  drops,
  hasNothingMore,
  publishes,
  receives,
  receivesInAnyOrder,
  sends,
  sendsPublish,
  subscribes,
  unsubscribes,
} from '../steps.ts';

const qosLevels = [0, 1, 2] as const;

/** What QoS 0, 1 and 2 ask of who sends. */
const sending = [
  ['MQTT-4.3.1-1', 'MQTT-4.3.1-1'],
  ['MQTT-4.3.2-1', 'MQTT-4.3.2-2'],
  ['MQTT-4.3.3-1', 'MQTT-4.3.3-2'],
] as const;
const lower = ['MQTT-3.8.4-6', 'MQTT-3.8.4-8'] as const;
const clausesOf = (published: number, granted: 0 | 1 | 2): readonly [string, string] =>
  published === granted ? sending[granted] : lower;

/** A message arrives with the lower of its own QoS and that of the subscription. */
const levels: readonly Row[] = qosLevels.flatMap((published) =>
  qosLevels.flatMap((granted) =>
    both(
      ...clausesOf(published, granted),
      `QoS ${published} to a subscription of QoS ${granted} arrives at QoS ${Math.min(published, granted)}`,
      connects('s'),
      subscribes('s', 't', granted),
      connects('p'),
      publishes('p', { topic: 't', payload: 'x', qos: published }),
      receives('s', {
        topic: 't',
        payload: 'x',
        qos: Math.min(published, granted),
        dup: false,
        retain: false,
      }),
      hasNothingMore('s'),
      hasNothingMore('p'),
    ),
  ),
);

const senders: readonly Row[] = [
  ...both(
    'MQTT-3.3.1-3',
    'MQTT-3.3.1-3',
    'DUP of a publisher is not handed on',
    connects('s'),
    subscribes('s', 't', 1),
    publishes('s', { topic: 't', payload: 'x', qos: 1, dup: true, packetId: 9 }),
    receives('s', { payload: 'x', dup: false }),
    hasNothingMore('s'),
  ),
  ...both(
    'MQTT-4.3.2-2',
    'MQTT-4.3.2-5',
    'after PUBACK the same packet identifier is a new message, DUP or not',
    connects('s'),
    subscribes('s', 't', 1),
    connects('p'),
    publishes('p', { topic: 't', payload: '1', qos: 1, packetId: 5 }),
    publishes('p', { topic: 't', payload: '2', qos: 1, packetId: 5 }),
    publishes('p', { topic: 't', payload: '3', qos: 1, packetId: 5, dup: true }),
    receives('s', { payload: '1' }),
    receives('s', { payload: '2' }),
    receives('s', { payload: '3' }),
  ),
  ...both(
    'MQTT-4.3.3-2',
    'MQTT-4.3.3-10',
    'a PUBLISH at QoS 2 that comes again before PUBREL is acknowledged and delivered once',
    connects('s'),
    subscribes('s', 't', 2),
    connects('p'),
    sendsPublish('p', { topic: 't', payload: 'x', qos: 2, packetId: 5 }),
    answers('p', 'pubrec', { packetId: 5 }),
    sendsPublish('p', { topic: 't', payload: 'x', qos: 2, packetId: 5, dup: true }),
    answers('p', 'pubrec', { packetId: 5 }),
    sends('p', acknowledgement('pubrel', 5)),
    answers('p', 'pubcomp', { packetId: 5, code: 0 }),
    receives('s', { payload: 'x', qos: 2 }),
    hasNothingMore('s'),
  ),
  ...both(
    'MQTT-4.3.3-2',
    'MQTT-4.3.3-12',
    'after PUBCOMP the same packet identifier is a new message',
    connects('s'),
    subscribes('s', 't', 2),
    connects('p'),
    publishes('p', { topic: 't', payload: '1', qos: 2, packetId: 5 }),
    publishes('p', { topic: 't', payload: '2', qos: 2, packetId: 5 }),
    receives('s', { payload: '1' }),
    receives('s', { payload: '2' }),
  ),
  ...both(
    'MQTT-4.3.3-2',
    'MQTT-4.3.3-11',
    'PUBREL that comes again is answered again',
    connects('p'),
    publishes('p', { topic: 't', payload: '1', qos: 2, packetId: 5 }),
    sends('p', acknowledgement('pubrel', 5)),
    answers('p', 'pubcomp', { packetId: 5 }),
    hasNothingMore('p'),
  ),
  ...both(
    'MQTT-2.3.1-6',
    'MQTT-2.2.1-5',
    'acknowledgements have the packet identifier of what they acknowledge, up to 65,535',
    connects('p'),
    publishes('p', { topic: 't', payload: 'x', qos: 1, packetId: 65_535 }),
    publishes('p', { topic: 't', payload: 'x', qos: 2, packetId: 65_534 }),
  ),
  ...both(
    'MQTT-4.6.0-2',
    'MQTT-4.6.0-2',
    'PUBACKs come in the order of the PUBLISH packets',
    connects('p'),
    sends('p', (run, { version }) =>
      Buffer.concat(
        [30, 7, 500, 8].map((packetId) =>
          publishPacket(version, { topic: run.topic('t'), payload: 'x', qos: 1, packetId }),
        ),
      ),
    ),
    ...[30, 7, 500, 8].map((packetId) => answers('p', 'puback', { packetId })),
  ),
  ...both(
    'MQTT-4.6.0-3',
    'MQTT-4.6.0-3',
    'PUBRECs and PUBCOMPs come in the order of what they answer',
    connects('p'),
    ...[30, 7, 500].map((packetId) =>
      sendsPublish('p', { topic: 't', payload: 'x', qos: 2, packetId }),
    ),
    ...[30, 7, 500].map((packetId) => answers('p', 'pubrec', { packetId })),
    ...[30, 7, 500].map((packetId) => sends('p', acknowledgement('pubrel', packetId))),
    ...[30, 7, 500].map((packetId) => answers('p', 'pubcomp', { packetId })),
  ),
];

const numbers = Array.from({ length: 50 }, (_, number) => String(number));

const order: readonly Row[] = qosLevels.flatMap((qos) =>
  both(
    qos === 0 ? 'MQTT-4.6.0-6' : 'MQTT-4.6.0-5',
    'MQTT-4.6.0-5',
    `50 messages of a topic at QoS ${qos} arrive in order`,
    connects('s'),
    subscribes('s', 't', qos),
    connects('p'),
    ...numbers.map((payload) => publishes('p', { topic: 't', payload, qos })),
    ...numbers.map((payload) => receives('s', { payload, qos })),
    hasNothingMore('s'),
  ),
);

const receivers: readonly Row[] = [
  ...both(
    'MQTT-2.3.1-4',
    'MQTT-2.2.1-4',
    'messages that are not acknowledged have different packet identifiers',
    connects('s'),
    subscribes('s', 't', 2),
    publishes('s', { topic: 't', payload: '1', qos: 1 }),
    publishes('s', { topic: 't', payload: '2', qos: 2 }),
    publishes('s', { topic: 't', payload: '3', qos: 1 }),
    // The client checks the identifiers of all that comes.
    ...['1', '2', '3'].map((payload) => receives('s', { payload }, { acknowledged: false })),
    hasNothingMore('s'),
  ),
  ...both(
    'MQTT-4.4.0-1',
    'MQTT-4.4.0-1',
    'what is not acknowledged comes again to the session, with DUP and its packet identifier',
    connects('s', { keep: true }),
    subscribes('s', 't', 2),
    publishes('s', { topic: 't', payload: '1', qos: 1 }),
    publishes('s', { topic: 't', payload: '2', qos: 2 }),
    async (run) => {
      const client = run.client('s');
      const first = await client.next('publish');
      const second = await client.next('publish');
      client.drop();
      await connects('s', { keep: true, resumed: true })(run);
      const again = run.client('s');
      for (const { payload, packetId } of [first, second])
        expect(await again.next('publish')).toMatchObject({ payload, packetId, dup: true });
    },
    hasNothingMore('s'),
  ),
  ...both(
    'MQTT-4.3.3-1',
    'MQTT-4.3.3-6',
    'after PUBREC it is PUBREL that comes again, and not PUBLISH',
    connects('s', { keep: true }),
    subscribes('s', 't', 2),
    publishes('s', { topic: 't', payload: 'x', qos: 2 }),
    async (run) => {
      const client = run.client('s');
      const { packetId = 0 } = await client.next('publish');
      client.send(acknowledgement('pubrec', packetId));
      await client.next('pubrel');
      client.drop();
      await connects('s', { keep: true, resumed: true })(run);
      const again = run.client('s');
      expect(await again.next('pubrel')).toMatchObject({ packetId });
      again.send(acknowledgement('pubcomp', packetId));
    },
    hasNothingMore('s'),
    drops('s'),
    connects('s', { keep: true, resumed: true }),
    hasNothingMore('s'),
  ),
  ...both(
    'MQTT-4.6.0-1',
    'MQTT-4.6.0-1',
    'what comes again comes in its first order, before what is new',
    connects('s', { keep: true }),
    subscribes('s', 't', 1),
    connects('p'),
    ...['1', '2', '3'].map((payload) => publishes('p', { topic: 't', payload, qos: 1 })),
    ...['1', '2', '3'].map((payload) => receives('s', { payload }, { acknowledged: false })),
    drops('s'),
    publishes('p', { topic: 't', payload: '4', qos: 1 }),
    connects('s', { keep: true, resumed: true }),
    ...['1', '2', '3'].map((payload) => receives('s', { payload, dup: true })),
    receives('s', { payload: '4', dup: false }),
    hasNothingMore('s'),
  ),
  five(
    'MQTT-4.4.0-2',
    'a PUBACK with an error ends the message',
    connects('s', { keep: true }),
    subscribes('s', 't', 1),
    publishes('s', { topic: 't', payload: 'x', qos: 1 }),
    async (run) => {
      const { packetId = 0 } = await run.client('s').next('publish');
      run.client('s').send(acknowledgement('puback', packetId, 0x80));
    },
    hasNothingMore('s'),
    drops('s'),
    connects('s', { keep: true, resumed: true }),
    hasNothingMore('s'),
  ),
  five(
    'MQTT-4.4.0-2',
    'a PUBREC with an error ends the message, without PUBREL',
    connects('s', { keep: true }),
    subscribes('s', 't', 2),
    publishes('s', { topic: 't', payload: 'x', qos: 2 }),
    async (run) => {
      const { packetId = 0 } = await run.client('s').next('publish');
      run.client('s').send(acknowledgement('pubrec', packetId, 0x97));
    },
    hasNothingMore('s'),
    drops('s'),
    connects('s', { keep: true, resumed: true }),
    hasNothingMore('s'),
  ),
];

const overlaps: readonly Row[] = [
  ...both(
    'MQTT-3.3.5-1',
    'MQTT-3.3.4-2',
    'overlapping subscriptions deliver at their highest QoS',
    connects('s'),
    subscribes('s', [
      ['t/#', 0],
      ['t/+', 2],
      ['t/a', 1],
    ]),
    connects('p'),
    publishes('p', { topic: 't/a', payload: 'x', qos: 2 }),
    async (run) => {
      // One copy, or one for each subscription: the standard leaves it to the server.
      const client = run.client('s');
      const levels = [(await client.next('publish')).qos];
      while (client.left.some(({ type }) => type === 'publish'))
        levels.push((await client.next('publish')).qos);
      expect(Math.max(...levels.map(Number))).toBe(2);
    },
  ),
  five(
    'MQTT-3.3.4-3',
    'the identifiers of overlapping subscriptions come with the message',
    connects('s'),
    subscribes('s', 't/#', 0, { properties: { subscriptionIdentifier: 10 } }),
    subscribes('s', 't/a', 0, { properties: { subscriptionIdentifier: 268_435_455 } }),
    publishes('s', { topic: 't/a', payload: 'x', qos: 1 }),
    async (run) => {
      const client = run.client('s');
      const seen: number[] = [];
      while (seen.length < 2) {
        const { subscriptionIdentifier } = (await client.next('publish')).properties;
        seen.push(...(subscriptionIdentifier as number[]));
      }
      expect(seen.sort((a, b) => a - b)).toEqual([10, 268_435_455]);
    },
    hasNothingMore('s'),
  ),
  five(
    'MQTT-3.3.4-5',
    'a subscription without identifier adds none',
    connects('s'),
    subscribes('s', 't', 0),
    publishes('s', { topic: 't', payload: 'x', qos: 1 }),
    receives('s', { payload: 'x', properties: {} }),
  ),
];

const matching: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ['a/b', ['a/b'], ['a', 'a/b/', 'a/b/c', '/a/b', 'A/b']],
  ['a/+', ['a/b', 'a/'], ['a', 'a/b/c']],
  ['a/+/c', ['a/b/c', 'a//c'], ['a/c', 'a/b/b/c']],
  ['+', ['a'], ['a/b', '/a']],
  ['+/+', ['a/b', '/a'], ['a', 'a/b/c']],
  ['/+', ['/a'], ['a', 'a/b']],
  ['+/b/#', ['a/b', 'a/b/c/d'], ['a/c', 'b']],
  ['a/#', ['a', 'a/', 'a/b', 'a/b/c'], ['ab', 'b/a']],
  ['#', ['a', '/', 'a/b/c', '/a'], []],
  ['a/+/#', ['a/b', 'a/b/c', 'a/'], ['a']],
];

const filters: readonly Row[] = [
  ...matching.flatMap(([filter, matches, others]) =>
    both(
      filter === '#' ? 'MQTT-3.8.3-2' : filter.includes('#') ? 'MQTT-4.7.1-2' : 'MQTT-4.7.1-3',
      filter.includes('#') ? 'MQTT-4.7.1-1' : 'MQTT-4.7.1-2',
      `the filter ${filter} matches ${matches.join(' ')}${others.length > 0 ? `, not ${others.join(' ')}` : ''}`,
      connects('s'),
      subscribes('s', filter, 0),
      connects('p'),
      ...[...others, ...matches].map((topic) => publishes('p', { topic, payload: topic, qos: 1 })),
      ...matches.map((topic) => receives('s', { topic, payload: topic })),
      hasNothingMore('s'),
    ),
  ),
  ...['=#', '=+/x', '=+/#'].flatMap((filter) =>
    both(
      'MQTT-4.7.2-1',
      'MQTT-4.7.2-1',
      `the filter ${filter.slice(1)} does not match a topic that begins with $`,
      connects('s'),
      subscribes('s', [[filter, 0]]),
      async (run) => {
        const client = run.client('s');
        const topic = `$row${run.prefix}/x`;
        client.send(publishPacket(client.version, { topic, payload: 'x', qos: 1, packetId: 40 }));
        await client.next('puback');
        await hasOnlyOthers(topic)(run);
      },
    ),
  ),
  ...both(
    'MQTT-3.3.2-3',
    'MQTT-3.3.2-3',
    'a topic of 65,535 bytes less the rest arrives whole',
    connects('s'),
    subscribes('s', 'l/#', 0),
    publishes('s', { topic: `l/${'x'.repeat(60_000)}`, payload: 'x', qos: 1 }),
    receives('s', { topic: `l/${'x'.repeat(60_000)}` }),
  ),
  ...both(
    'MQTT-3.3.4-1',
    'MQTT-3.3.4-1',
    'an empty payload arrives',
    connects('s'),
    subscribes('s', 't', 0),
    publishes('s', { topic: 't', qos: 1 }),
    receives('s', { topic: 't', payload: '' }),
  ),
];

/** Rows share the server: a filter over all topics gets what others publish, too. */
function hasOnlyOthers(topic: string) {
  return async (run: import('../run.ts').Run) => {
    const client = run.client('s');
    client.send(Buffer.from([0xc0, 0]));
    await client.next('pingresp');
    expect(client.left.map((packet) => packet.topic)).not.toContain(topic);
  };
}

const unsubscribing: readonly Row[] = [
  ...both(
    'MQTT-3.10.4-2',
    'MQTT-3.10.4-2',
    'after UNSUBACK nothing new comes',
    connects('s'),
    subscribes('s', [
      ['t', 1],
      ['u', 1],
    ]),
    unsubscribes('s', ['t']),
    publishes('s', { topic: 't', payload: '1', qos: 1 }),
    publishes('s', { topic: 'u', payload: '2', qos: 1 }),
    receives('s', { topic: 'u', payload: '2' }),
    hasNothingMore('s'),
  ),
  ...both(
    'MQTT-3.10.4-1',
    'MQTT-3.10.4-1',
    'filters are compared letter by letter',
    connects('s'),
    subscribes('s', 't/a', 0),
    unsubscribes('s', ['t/+', 't/#', 'T/a', 't/a/'], [0x11, 0x11, 0x11, 0x11]),
    publishes('s', { topic: 't/a', payload: 'x', qos: 1 }),
    receives('s', { topic: 't/a' }),
    unsubscribes('s', ['t/a']),
    publishes('s', { topic: 't/a', payload: 'y', qos: 1 }),
    hasNothingMore('s'),
  ),
  ...both(
    'MQTT-3.10.4-5',
    'MQTT-3.10.4-5',
    'UNSUBSCRIBE from what was not subscribed to is answered',
    connects('s'),
    unsubscribes('s', ['never'], [0x11]),
    hasNothingMore('s'),
  ),
  ...both(
    'MQTT-3.10.4-6',
    'MQTT-3.11.3-1',
    'several filters have one UNSUBACK, and in MQTT 5 a reason each, in order',
    connects('s'),
    subscribes('s', [
      ['a', 0],
      ['b', 0],
    ]),
    unsubscribes('s', ['a', 'never', 'b'], [0, 0x11, 0]),
    publishes('s', { topic: 'a', payload: 'x', qos: 1 }),
    publishes('s', { topic: 'b', payload: 'x', qos: 1 }),
    hasNothingMore('s'),
  ),
  ...both(
    'MQTT-3.10.4-3',
    'MQTT-3.10.4-3',
    'what was being sent is completed after UNSUBSCRIBE',
    connects('s', { keep: true }),
    subscribes('s', 't', 2),
    publishes('s', { topic: 't', payload: 'x', qos: 2 }),
    async (run) => {
      const client = run.client('s');
      const { packetId = 0 } = await client.next('publish');
      await unsubscribes('s', ['t'])(run);
      client.send(acknowledgement('pubrec', packetId));
      expect(await client.next('pubrel')).toMatchObject({ packetId });
      client.send(acknowledgement('pubcomp', packetId));
    },
    hasNothingMore('s'),
  ),
];

const subscribing: readonly Row[] = [
  ...both(
    'MQTT-3.9.3-1',
    'MQTT-3.9.3-1',
    'SUBACK has a code for each filter, in order',
    connects('s'),
    subscribes('s', [
      ['a', 2],
      ['b', 0],
      ['c', 1],
      ['a', 0],
    ]),
  ),
  ...both(
    'MQTT-3.8.4-3',
    'MQTT-3.8.4-3',
    'the same filter again replaces the subscription',
    connects('s'),
    subscribes('s', 't', 2),
    subscribes('s', 't', 0),
    publishes('s', { topic: 't', payload: 'x', qos: 2 }),
    receives('s', { payload: 'x', qos: 0 }),
    hasNothingMore('s'),
  ),
  ...both(
    'MQTT-3.8.4-4',
    'MQTT-3.8.4-5',
    'the same filter twice in one packet is as in two',
    connects('s'),
    subscribes('s', [
      ['t', 0],
      ['t', 1],
    ]),
    publishes('s', { topic: 't', payload: 'x', qos: 2 }),
    receives('s', { payload: 'x', qos: 1 }),
    hasNothingMore('s'),
  ),
  five(
    'MQTT-3.8.4-3',
    'the same filter with another identifier has that one',
    connects('s'),
    subscribes('s', 't', 0, { properties: { subscriptionIdentifier: 1 } }),
    subscribes('s', 't', 0, { properties: { subscriptionIdentifier: 2 } }),
    publishes('s', { topic: 't', payload: 'x', qos: 1 }),
    receives('s', { properties: { subscriptionIdentifier: [2] } }),
    subscribes('s', 't', 0),
    publishes('s', { topic: 't', payload: 'y', qos: 1 }),
    receives('s', { properties: {} }),
    hasNothingMore('s'),
  ),
  ...both(
    'MQTT-4.5.0-1',
    'MQTT-4.5.0-1',
    'each of several subscribers gets the message',
    ...['a', 'b', 'c'].flatMap((name) => [connects(name), subscribes(name, 't', 1)]),
    connects('p'),
    publishes('p', { topic: 't', payload: 'x', qos: 1 }),
    ...['a', 'b', 'c'].flatMap((name) => [receives(name, { payload: 'x' }), hasNothingMore(name)]),
  ),
  five(
    'MQTT-3.8.3-3',
    'No Local keeps from a client what it has published itself',
    connects('s'),
    subscribes('s', 't', 0x04 | 1),
    connects('p'),
    publishes('s', { topic: 't', payload: 'own', qos: 1 }),
    publishes('p', { topic: 't', payload: 'other', qos: 1 }),
    receives('s', { payload: 'other' }),
    hasNothingMore('s'),
  ),
  five(
    'MQTT-3.8.3-3',
    'a subscription without No Local beside it gets it',
    connects('s'),
    subscribes('s', [
      ['t/#', 0x04],
      ['t/a', 0],
    ]),
    publishes('s', { topic: 't/a', payload: 'own', qos: 1 }),
    receives('s', { payload: 'own' }),
    hasNothingMore('s'),
  ),
];

const properties: readonly Row[] = [
  five(
    'MQTT-3.3.2-4',
    'all that a message says of itself arrives unaltered',
    connects('s'),
    subscribes('s', 't', 1),
    publishes('s', {
      topic: 't',
      payload: 'x',
      qos: 1,
      properties: {
        payloadFormatIndicator: 1,
        contentType: 'text/plain; charset=utf-8',
        responseTopic: 'answers/é',
        correlationData: 'a\0b',
        userProperty: [
          ['b', '1'],
          ['a', '2'],
          ['b', '3'],
          ['b', '1'],
        ],
      },
    }),
    receives('s', {
      payload: 'x',
      properties: {
        payloadFormatIndicator: 1,
        contentType: 'text/plain; charset=utf-8',
        responseTopic: 'answers/é',
        correlationData: 'a\0b',
        userProperty: [
          ['b', '1'],
          ['a', '2'],
          ['b', '3'],
          ['b', '1'],
        ],
      },
    }),
  ),
  ...(
    [
      ['MQTT-3.3.2-4', { payloadFormatIndicator: 1 }],
      ['MQTT-3.3.2-4', { payloadFormatIndicator: 0 }],
      ['MQTT-3.3.2-15', { responseTopic: 'a/b' }],
      ['MQTT-3.3.2-16', { correlationData: '' }],
      ['MQTT-3.3.2-20', { contentType: '' }],
      [
        'MQTT-3.3.2-18',
        {
          userProperty: [
            ['z', '1'],
            ['a', '2'],
            ['z', '0'],
          ],
        },
      ],
    ] as const
  ).map(([clause, sent]) =>
    five(
      clause,
      `${JSON.stringify(sent)} arrives unaltered`,
      connects('s'),
      subscribes('s', 't', 2),
      publishes('s', { topic: 't', payload: 'x', qos: 2, properties: sent }),
      async (run) => {
        const { properties } = await run.client('s').next('publish');
        // A Payload Format Indicator of 0 is the same as none.
        expect({ payloadFormatIndicator: 0, ...properties }).toEqual({
          payloadFormatIndicator: 0,
          ...sent,
        });
      },
    ),
  ),
  five(
    'MQTT-3.3.2-4',
    'a client of MQTT 3.1.1 gets the message without properties',
    connects('s', { version: 4 }),
    subscribes('s', 't', 1),
    connects('p'),
    publishes('p', { topic: 't', payload: 'x', qos: 1, properties: { contentType: 'a' } }),
    receives('s', { topic: 't', payload: 'x', properties: {} }),
  ),
  five(
    'MQTT-2.2.2-1',
    'a client of MQTT 5 gets the message of one of 3.1.1, with a Property Length of zero',
    connects('s'),
    subscribes('s', 't', 1),
    connects('p', { version: 4 }),
    publishes('p', { topic: 't', payload: 'x', qos: 1 }),
    receives('s', { topic: 't', payload: 'x', properties: {} }),
  ),
  five(
    'MQTT-3.3.4-1',
    'a message that nobody wants is acknowledged, with 0x10 or without',
    connects('p'),
    publishes('p', { topic: 'nobody', payload: 'x', qos: 1 }),
    publishes('p', { topic: 'nobody', payload: 'x', qos: 2 }),
  ),
];

const several: readonly Row[] = both(
  'MQTT-4.6.0-6',
  'MQTT-4.6.0-6',
  'messages of two publishers arrive, those of each in order',
  connects('s'),
  subscribes('s', 't', 1),
  connects('p'),
  connects('q'),
  ...['1', '2', '3'].flatMap((payload) => [
    publishes('p', { topic: 't', payload: `p${payload}`, qos: 1 }),
    publishes('q', { topic: 't', payload: `q${payload}`, qos: 1 }),
  ]),
  receivesInAnyOrder('s', ...['p1', 'p2', 'p3', 'q1', 'q2', 'q3'].map((payload) => ({ payload }))),
);

export const delivery = [
  ...levels,
  ...senders,
  ...order,
  ...receivers,
  ...overlaps,
  ...filters,
  ...unsubscribing,
  ...subscribing,
  ...properties,
  ...several,
];
