// What MQTT 5 bounds and shares: expiry, topic aliases, Receive Maximum, packet sizes, shared subscriptions.
import { expect } from 'vitest';
import { hex, packet, prefixed } from '../bytes.ts';
import { acknowledgement, publishPacket } from '../client-packets.ts';
import { both, five, type Row, type Step } from '../row.ts';
import {
  answers,
  connects,
  disconnects,
  drops,
  hasNothingMore,
  isClosed,
  pause,
  publishes,
  receives,
  sends,
  sendsPublish,
  subscribes,
  unsubscribes,
} from '../steps.ts';

const expiry: readonly Row[] = [
  five(
    'MQTT-3.3.2-6',
    'the expiry that arrives is what is left of it',
    connects('s', { keep: true }),
    subscribes('s', 't', 1),
    connects('p'),
    publishes('p', {
      topic: 't',
      payload: '1',
      qos: 1,
      properties: { messageExpiryInterval: 100 },
    }),
    receives('s', { payload: '1', properties: { messageExpiryInterval: 100 } }),
    disconnects('s'),
    publishes('p', {
      topic: 't',
      payload: '2',
      qos: 1,
      properties: { messageExpiryInterval: 100 },
    }),
    pause(2.1),
    connects('s', { keep: true, resumed: true }),
    async (run) => {
      const { properties } = await run.client('s').next('publish');
      const left = Number(properties['messageExpiryInterval']);
      expect(left).toBeLessThanOrEqual(98);
      expect(left).toBeGreaterThan(60);
    },
  ),
  five(
    'MQTT-3.3.2-5',
    'what has expired is not delivered',
    connects('s', { keep: true }),
    subscribes('s', 't', 2),
    disconnects('s'),
    connects('p'),
    ...[1, 2].map((qos) =>
      publishes('p', {
        topic: 't',
        payload: 'late',
        qos,
        properties: { messageExpiryInterval: 1 },
      }),
    ),
    publishes('p', { topic: 't', payload: 'kept', qos: 1 }),
    pause(3),
    connects('s', { keep: true, resumed: true }),
    receives('s', { payload: 'kept' }),
    hasNothingMore('s'),
  ),
  five(
    'MQTT-4.3.3-7',
    'what was sent before it expired is completed',
    connects('s', { keep: true }),
    subscribes('s', 't', 2),
    connects('p'),
    publishes('p', {
      topic: 't',
      payload: 'x',
      qos: 2,
      properties: { messageExpiryInterval: 1 },
    }),
    async (run) => {
      const { packetId = 0 } = await run.client('s').next('publish');
      await pause(3)(run);
      run.client('s').send(acknowledgement('pubrec', packetId));
      expect(await run.client('s').next('pubrel')).toMatchObject({ packetId });
      run.client('s').send(acknowledgement('pubcomp', packetId));
    },
    hasNothingMore('s'),
  ),
  five(
    'MQTT-3.3.2-6',
    'a will expires, too, from when it is published',
    connects('s'),
    subscribes('s', 'w', 1),
    connects('c', {
      will: { topic: 'w', payload: 'x', qos: 1, properties: { messageExpiryInterval: 50 } },
    }),
    drops('c'),
    receives('s', { payload: 'x', properties: { messageExpiryInterval: 50 } }),
  ),
];

const withAlias = (topic: string, topicAlias: number, payload: string, qos = 0) =>
  publishes('p', { topic, payload, qos, properties: { topicAlias } });

/** No topic, which `run.topic` would put the row's own in front of. */
const byAlias = (topicAlias: number, payload: string): Step =>
  sends('p', publishPacket(5, { topic: '', payload, properties: { topicAlias } }));

const aliases: readonly Row[] = [
  five(
    'MQTT-3.3.2-12',
    'a client may use topic aliases up to the maximum of the server',
    connects('s'),
    subscribes('s', '#', 0),
    connects('p'),
    async (run) => {
      const maximum = Number(run.client('p').connack?.properties['topicAliasMaximum'] ?? 0);
      if (maximum === 0) return;
      await withAlias('first', 1, '1')(run);
      await withAlias('last', maximum, '2')(run);
      await byAlias(1, '3')(run);
      await byAlias(maximum, '4')(run);
      await withAlias('new', 1, '5')(run);
      await byAlias(1, '6')(run);
      await hasNothingMore('p')(run);
      await receives('s', { topic: 'first', payload: '1', properties: {} })(run);
      await receives('s', { topic: 'last', payload: '2' })(run);
      await receives('s', { topic: 'first', payload: '3' })(run);
      await receives('s', { topic: 'last', payload: '4' })(run);
      await receives('s', { topic: 'new', payload: '5' })(run);
      await receives('s', { topic: 'new', payload: '6' })(run);
    },
  ),
  ...[1, 2].map((qos) =>
    five(
      'MQTT-3.3.2-12',
      `so it may at QoS ${qos}`,
      connects('s'),
      subscribes('s', 't', 2),
      connects('p'),
      async (run) => {
        if (run.client('p').connack?.properties['topicAliasMaximum'] === undefined) return;
        await withAlias('t', 1, '1', qos)(run);
        await publishes('p', {
          topic: Buffer.alloc(0),
          payload: '2',
          qos,
          properties: { topicAlias: 1 },
        })(run);
        await receives('s', { topic: 't', payload: '1', qos })(run);
        await receives('s', { topic: 't', payload: '2', qos })(run);
      },
    ),
  ),
  five(
    'MQTT-3.3.2-9',
    'an alias above the maximum of the server is refused',
    connects('p'),
    sends('p', (run, client) => {
      const maximum = Number(client.connack?.properties['topicAliasMaximum'] ?? 0);
      return publishPacket(5, {
        topic: run.topic('t'),
        properties: { topicAlias: Math.min(65_535, maximum + 1) },
      });
    }),
    isClosed('p', 0x94),
  ),
  five(
    'MQTT-4.13.1-1',
    'an alias that stands for nothing is refused',
    connects('p'),
    byAlias(1, 'x'),
    isClosed('p', 0x82, 0x94),
  ),
  five(
    'MQTT-3.3.2-7',
    'an alias ends with its connection',
    connects('p', { keep: true }),
    withAlias('t', 1, 'x'),
    hasNothingMore('p'),
    drops('p'),
    connects('p', { keep: true }),
    byAlias(1, 'y'),
    isClosed('p', 0x82, 0x94),
  ),
  five(
    'MQTT-3.3.2-7',
    'an alias of one client means nothing for another',
    connects('p'),
    withAlias('t', 1, 'x'),
    connects('q'),
    sends('q', publishPacket(5, { topic: '', payload: 'y', properties: { topicAlias: 1 } })),
    isClosed('q', 0x82, 0x94),
    hasNothingMore('p'),
  ),
  five(
    'MQTT-3.1.2-27',
    'a client without a maximum gets no aliases',
    connects('s'),
    subscribes('s', 't', 0),
    ...['1', '2', '3'].map((payload) => publishes('s', { topic: 't', payload, qos: 1 })),
    ...['1', '2', '3'].map((payload) => receives('s', { topic: 't', payload, properties: {} })),
  ),
  five(
    'MQTT-3.1.2-26',
    'a client with a maximum gets none above it, and each stands for its topic',
    connects('s', { properties: { topicAliasMaximum: 2 } }),
    subscribes('s', '#', 1),
    connects('p'),
    ...['a', 'b', 'c', 'a', 'b', 'c'].map((topic) =>
      publishes('p', { topic, payload: topic, qos: 1 }),
    ),
    async (run) => {
      const topics = new Map<unknown, string | undefined>();
      for (const payload of ['a', 'b', 'c', 'a', 'b', 'c']) {
        const client = run.client('s');
        const message = await client.next('publish');
        const alias = message.properties['topicAlias'];
        if (alias !== undefined) {
          expect(alias).toBeGreaterThan(0);
          expect(alias).toBeLessThanOrEqual(2);
          if (message.topic !== '') topics.set(alias, message.topic);
        }
        expect(run.nameOf(message.topic || topics.get(alias))).toBe(payload);
        client.send(acknowledgement('puback', message.packetId ?? 0));
      }
    },
    hasNothingMore('s'),
  ),
];

const twenty = Array.from({ length: 20 }, (_, number) => String(number));

const receiveMaximum: readonly Row[] = [
  ...[1, 2, 5].map((maximum) =>
    five(
      'MQTT-3.3.4-9',
      `no more than ${maximum} messages are on their way at once`,
      connects('s', { properties: { receiveMaximum: maximum } }),
      subscribes('s', 't', 2),
      connects('p'),
      ...twenty.map((payload, number) =>
        publishes('p', { topic: 't', payload, qos: 1 + (number % 2) }),
      ),
      // The client counts what is on its way.
      ...twenty.map((payload) => receives('s', { payload })),
      hasNothingMore('s'),
    ),
  ),
  five(
    'MQTT-4.9.0-3',
    'a full Receive Maximum holds nothing else up',
    connects('s', { properties: { receiveMaximum: 1 } }),
    subscribes('s', 't', 1),
    subscribes('s', 'u', 0),
    connects('p'),
    publishes('p', { topic: 't', payload: '1', qos: 1 }),
    publishes('p', { topic: 't', payload: '2', qos: 1 }),
    receives('s', { payload: '1' }, { acknowledged: false }),
    subscribes('s', 'v', 1),
    publishes('s', { topic: 'w', payload: 'x', qos: 2 }),
    publishes('p', { topic: 'u', payload: '0', qos: 0 }),
    receives('s', { topic: 'u', payload: '0', qos: 0 }),
    hasNothingMore('s'),
  ),
  five(
    'MQTT-4.9.0-2',
    'a PUBREC with an error gives its place back',
    connects('s', { properties: { receiveMaximum: 1 } }),
    subscribes('s', 't', 2),
    publishes('s', { topic: 't', payload: '1', qos: 2 }),
    publishes('s', { topic: 't', payload: '2', qos: 2 }),
    async (run) => {
      const { packetId = 0, payload } = await run.client('s').next('publish');
      expect(payload).toBe('1');
      run.client('s').send(acknowledgement('pubrec', packetId, 0x80));
    },
    receives('s', { payload: '2' }),
    hasNothingMore('s'),
  ),
  five(
    'MQTT-4.9.0-2',
    'PUBREC alone does not: its place comes back with PUBCOMP',
    connects('s', { properties: { receiveMaximum: 1 } }),
    subscribes('s', 't', 2),
    publishes('s', { topic: 't', payload: '1', qos: 2 }),
    publishes('s', { topic: 't', payload: '2', qos: 2 }),
    async (run) => {
      const client = run.client('s');
      const { packetId = 0 } = await client.next('publish');
      client.send(acknowledgement('pubrec', packetId));
      await client.next('pubrel');
      await hasNothingMore('s')(run);
      client.send(acknowledgement('pubcomp', packetId));
    },
    receives('s', { payload: '2' }),
  ),
  five(
    'MQTT-4.9.0-1',
    'a session that comes back with a smaller one is kept to that',
    connects('s', { keep: true, properties: { receiveMaximum: 10 } }),
    subscribes('s', 't', 1),
    disconnects('s'),
    connects('p'),
    ...twenty.map((payload) => publishes('p', { topic: 't', payload, qos: 1 })),
    connects('s', { keep: true, resumed: true, properties: { receiveMaximum: 2 } }),
    ...twenty.map((payload) => receives('s', { payload })),
    hasNothingMore('s'),
  ),
  five(
    'MQTT-3.3.4-7',
    'a client that sends more than the Receive Maximum of the server is closed',
    connects('p'),
    async (run) => {
      const client = run.client('p');
      const maximum = Number(client.connack?.properties['receiveMaximum'] ?? 65_535);
      if (maximum > 2000) return void client.drop();
      for (let packetId = 1; packetId <= maximum + 1; packetId++)
        client.send(publishPacket(5, { topic: run.topic('t'), payload: 'x', qos: 2, packetId }));
      await isClosed('p', 0x93)(run);
    },
  ),
  five(
    'MQTT-4.9.0-1',
    'up to it all are taken, before the first PUBREL',
    connects('p'),
    async (run) => {
      const client = run.client('p');
      const maximum = Number(client.connack?.properties['receiveMaximum'] ?? 65_535);
      const count = Math.min(maximum, 100);
      for (let packetId = 1; packetId <= count; packetId++)
        client.send(publishPacket(5, { topic: run.topic('t'), payload: 'x', qos: 2, packetId }));
      for (let packetId = 1; packetId <= count; packetId++)
        expect(await client.next('pubrec')).toMatchObject({ packetId });
    },
    hasNothingMore('p'),
  ),
];

const sizes: readonly Row[] = [
  five(
    'MQTT-3.1.2-25',
    'what is larger than a client takes is discarded, and the rest arrives',
    connects('s', { properties: { maximumPacketSize: 200 } }),
    subscribes('s', 't', 2),
    connects('p'),
    ...[0, 1, 2].flatMap((qos) => [
      publishes('p', { topic: 't', payload: 'x'.repeat(300), qos }),
      publishes('p', { topic: 't', payload: `small ${qos}`, qos }),
    ]),
    ...[0, 1, 2].map((qos) => receives('s', { payload: `small ${qos}`, qos })),
    hasNothingMore('s'),
  ),
  five(
    'MQTT-3.1.2-25',
    'it does not take a place of Receive Maximum',
    connects('s', { properties: { maximumPacketSize: 200, receiveMaximum: 1 } }),
    subscribes('s', 't', 1),
    connects('p'),
    publishes('p', { topic: 't', payload: 'x'.repeat(300), qos: 1 }),
    publishes('p', { topic: 't', payload: 'small', qos: 1 }),
    receives('s', { payload: 'small' }),
  ),
  five(
    'MQTT-3.1.2-24',
    'a packet of just the maximum arrives, one byte more does not',
    connects('s'),
    subscribes('s', 't', 0),
    publishes('s', { topic: 't', payload: 'x', qos: 1 }),
    async (run) => {
      await run.client('s').next('publish');
      // First byte, Remaining Length, topic with its length, Property Length, payload.
      const overhead = 2 + 2 + run.topic('t').length + 1;
      const maximumPacketSize = overhead + 20;
      await connects('small', { properties: { maximumPacketSize } })(run);
      await subscribes('small', 't', 0)(run);
      await publishes('s', { topic: 't', payload: 'y'.repeat(21), qos: 1 })(run);
      await publishes('s', { topic: 't', payload: 'z'.repeat(20), qos: 1 })(run);
      await receives('small', { payload: 'z'.repeat(20) })(run);
    },
    hasNothingMore('small'),
  ),
  five(
    'MQTT-3.1.2-25',
    'also what waits for a session, and retained messages',
    connects('s', { keep: true }),
    subscribes('s', 't', 1),
    disconnects('s'),
    connects('p'),
    publishes('p', { topic: 't', payload: 'x'.repeat(300), qos: 1 }),
    publishes('p', { topic: 'r', payload: 'x'.repeat(300), qos: 1, retain: true }),
    publishes('p', { topic: 't', payload: 'small', qos: 1 }),
    connects('s', { keep: true, resumed: true, properties: { maximumPacketSize: 200 } }),
    receives('s', { payload: 'small' }),
    subscribes('s', 'r', 1),
    hasNothingMore('s'),
    publishes('p', { topic: 'r', qos: 1, retain: true }),
  ),
  five(
    'MQTT-3.2.2-15',
    'a packet that is larger than the server takes closes the connection',
    connects('p'),
    sends('p', (run, client) => {
      const maximum = Number(client.connack?.properties['maximumPacketSize'] ?? 0);
      if (maximum === 0) throw new Error('the server announces no Maximum Packet Size');
      return packet(
        0x30,
        prefixed(run.topic('t')),
        hex('00'),
        Buffer.alloc(Math.min(maximum, 20_000_000)),
      );
    }),
    isClosed('p', 0x95),
  ),
];

/** Each of these messages reaches one of the clients, and none twice. */
function shared(names: readonly string[], payloads: readonly string[], atLeastEach = 0): Step {
  return async (run) => {
    const counts = new Map<string, number>();
    const seen: string[] = [];
    for (const name of names) {
      const client = run.client(name);
      client.send(Buffer.from([0xc0, 0]));
      await client.next('pingresp');
      while (client.left.some(({ type }) => type === 'publish')) {
        const { payload = '', packetId } = await client.next('publish');
        if (packetId !== undefined) client.send(acknowledgement('puback', packetId));
        seen.push(payload);
        counts.set(name, (counts.get(name) ?? 0) + 1);
      }
    }
    expect(seen.sort()).toEqual([...payloads].sort());
    for (const name of names) expect(counts.get(name) ?? 0).toBeGreaterThanOrEqual(atLeastEach);
  };
}

const tens = twenty.slice(0, 10);

const shares: readonly Row[] = [
  five(
    'MQTT-4.8.2-3',
    'messages are spread over the members of a share, each to one, and each has some',
    ...['a', 'b'].flatMap((name) => [connects(name), subscribes(name, '$share/g/t', 1)]),
    connects('p'),
    ...twenty.map((payload) => publishes('p', { topic: 't', payload, qos: 1 })),
    shared(['a', 'b'], twenty, 1),
  ),
  five(
    'MQTT-4.8.2-3',
    'at the QoS of each subscription',
    connects('a'),
    subscribes('a', '$share/g/t', 0),
    connects('p'),
    publishes('p', { topic: 't', payload: 'x', qos: 2 }),
    receives('a', { payload: 'x', qos: 0 }),
    hasNothingMore('a'),
  ),
  five(
    'MQTT-4.8.2-1',
    'two shares of one filter get each message once each, and so do other subscribers',
    connects('a'),
    subscribes('a', '$share/g/t', 1),
    connects('b'),
    subscribes('b', '$share/h/t', 1),
    connects('c'),
    subscribes('c', 't', 1),
    connects('p'),
    ...tens.map((payload) => publishes('p', { topic: 't', payload, qos: 1 })),
    shared(['a'], tens),
    shared(['b'], tens),
    shared(['c'], tens),
  ),
  five(
    'MQTT-4.8.2-1',
    'one share with two filters has two groups',
    connects('a'),
    subscribes('a', '$share/g/t/+', 1),
    connects('b'),
    subscribes('b', '$share/g/t/x', 1),
    connects('p'),
    ...tens.map((payload) => publishes('p', { topic: 't/x', payload, qos: 1 })),
    shared(['a'], tens),
    shared(['b'], tens),
  ),
  five(
    'MQTT-3.8.4-3',
    'a client may have a filter shared and not shared',
    connects('a'),
    subscribes('a', '$share/g/t', 1),
    subscribes('a', 't', 1),
    connects('p'),
    publishes('p', { topic: 't', payload: 'x', qos: 1 }),
    receives('a', { payload: 'x' }),
    receives('a', { payload: 'x' }),
    hasNothingMore('a'),
  ),
  five(
    'MQTT-3.3.4-4',
    'a message has the identifier of the shared subscription',
    connects('a'),
    subscribes('a', '$share/g/t', 0, { properties: { subscriptionIdentifier: 12 } }),
    connects('p'),
    publishes('p', { topic: 't', payload: 'x', qos: 1 }),
    receives('a', { payload: 'x', properties: { subscriptionIdentifier: [12] } }),
  ),
  five(
    'MQTT-3.3.1-9',
    'a shared subscription is sent no retained messages',
    connects('p'),
    publishes('p', { topic: 't', payload: 'x', qos: 1, retain: true }),
    connects('a'),
    subscribes('a', '$share/g/t', 1),
    hasNothingMore('a'),
    publishes('p', { topic: 't', qos: 1, retain: true }),
  ),
  five(
    'MQTT-3.10.4-1',
    'a member that has unsubscribed gets nothing more; the others get all',
    ...['a', 'b'].flatMap((name) => [connects(name), subscribes(name, '$share/g/t', 1)]),
    unsubscribes('a', ['$share/g/t']),
    connects('p'),
    ...tens.map((payload) => publishes('p', { topic: 't', payload, qos: 1 })),
    shared(['b'], tens),
    hasNothingMore('a'),
    unsubscribes('b', ['$share/g/t']),
    publishes('p', { topic: 't', payload: 'x', qos: 1 }),
    hasNothingMore('b'),
  ),
  five(
    'MQTT-4.8.2-3',
    'a member whose session has ended gets nothing more',
    ...['a', 'b'].flatMap((name) => [connects(name), subscribes(name, '$share/g/t', 1)]),
    disconnects('a'),
    connects('p'),
    ...tens.map((payload) => publishes('p', { topic: 't', payload, qos: 1 })),
    shared(['b'], tens),
  ),
  five(
    'MQTT-4.8.2-6',
    'what a member refuses goes to no other',
    ...['a', 'b'].flatMap((name) => [connects(name), subscribes(name, '$share/g/t', 1)]),
    connects('p'),
    ...tens.map((payload) => publishes('p', { topic: 't', payload, qos: 1 })),
    async (run) => {
      const client = run.client('a');
      const { packetId = 0 } = await client.next('publish');
      client.send(acknowledgement('puback', packetId, 0x80));
      await pause(0.2)(run);
      for (const name of ['a', 'b']) {
        const each = run.client(name);
        each.send(Buffer.from([0xc0, 0]));
        await each.next('pingresp');
      }
      const rest = [...run.client('a').left, ...run.client('b').left];
      expect(rest.map(({ payload }) => payload)).toHaveLength(9);
    },
  ),
  five(
    'MQTT-4.8.2-4',
    'what a member of QoS 2 had begun is completed when it is back',
    connects('a', { keep: true }),
    subscribes('a', '$share/g/t', 2),
    connects('p'),
    publishes('p', { topic: 't', payload: 'x', qos: 2 }),
    async (run) => {
      const client = run.client('a');
      const { packetId = 0 } = await client.next('publish');
      client.send(acknowledgement('pubrec', packetId));
      await client.next('pubrel');
      client.drop();
      await connects('a', { keep: true, resumed: true })(run);
      expect(await run.client('a').next('pubrel')).toMatchObject({ packetId });
      run.client('a').send(acknowledgement('pubcomp', packetId));
    },
    hasNothingMore('a'),
  ),
  five(
    'MQTT-4.8.2-5',
    'what it had begun goes to no other when its session ends',
    connects('a', { keep: true }),
    subscribes('a', '$share/g/t', 2),
    connects('p'),
    publishes('p', { topic: 't', payload: 'x', qos: 2 }),
    async (run) => {
      const client = run.client('a');
      const { packetId = 0 } = await client.next('publish');
      client.send(acknowledgement('pubrec', packetId));
      await client.next('pubrel');
    },
    connects('b'),
    subscribes('b', '$share/g/t', 2),
    drops('a'),
    connects('a', { clean: true }),
    hasNothingMore('a'),
    hasNothingMore('b'),
  ),
  five(
    'MQTT-4.8.2-2',
    'the filter of a share has wildcards as any other',
    connects('a'),
    subscribes('a', '$share/g/t/+/#', 1),
    connects('p'),
    publishes('p', { topic: 't/x/y', payload: 'x', qos: 1 }),
    publishes('p', { topic: 't', payload: 'y', qos: 1 }),
    receives('a', { topic: 't/x/y' }),
    hasNothingMore('a'),
  ),
];

const problems: readonly Row[] = [
  five(
    'MQTT-3.1.2-29',
    'without Request Problem Information no acknowledgement gives a reason in words',
    connects('c', { properties: { requestProblemInformation: 0 } }),
    sendsPublish('c', { topic: 'nobody', payload: 'x', qos: 1, packetId: 3 }),
    answers('c', 'puback', { packetId: 3, properties: {} }),
    sends('c', acknowledgement('pubrel', 99)),
    answers('c', 'pubcomp', { packetId: 99, properties: {} }),
    hasNothingMore('c'),
  ),
];

const largeInBoth: readonly Row[] = [128, 16_384, 100_000, 900_000].flatMap((length) =>
  both(
    'MQTT-4.2.0-1',
    'MQTT-4.2-1',
    `a payload of ${length} bytes arrives whole`,
    connects('s'),
    subscribes('s', 't', 1),
    connects('p'),
    publishes('p', { topic: 't', payload: 'é'.repeat(length / 2), qos: 1 }),
    receives('s', { payload: 'é'.repeat(length / 2) }),
  ),
);

export const flow = [
  ...expiry,
  ...aliases,
  ...receiveMaximum,
  ...sizes,
  ...shares,
  ...problems,
  ...largeInBoth,
];
