// What the broker tells of its clients, in code and on $events topics.

import { connect as connectSocket } from 'node:net';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import { generate } from 'mqtt-packet';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type EmbeddedBroker, startBroker } from '../../../infra/broker/broker.ts';
import type { BrokerEvents } from '../../../infra/broker/telemetry/events.ts';
import { temporaryFolder } from '../../support/brokers.ts';
import { until } from '../../support/wait.ts';

type Told = { topic: string } & Record<string, unknown>;

let broker: EmbeddedBroker;
let watcher: MqttClient;
const heard: { name: string; event: BrokerEvents[keyof BrokerEvents] }[] = [];
const told: Told[] = [];
const clients: MqttClient[] = [];

beforeAll(async () => {
  broker = await startBroker({
    port: 0,
    folder: temporaryFolder('events'),
    on: {
      connected: (event) => heard.push({ name: 'connected', event }),
      disconnected: (event) => heard.push({ name: 'disconnected', event }),
      subscribed: (event) => heard.push({ name: 'subscribed', event }),
      unsubscribed: (event) => heard.push({ name: 'unsubscribed', event }),
      received: (event) => heard.push({ name: 'received', event }),
    },
  });
  watcher = await connect({ clientId: 'watcher' });
  watcher.on('message', (topic, payload) => told.push({ topic, ...JSON.parse(String(payload)) }));
  await watcher.subscribeAsync('$events/#', { qos: 1 });
});
afterAll(async () => {
  for (const client of clients) client.end(true);
  await broker.close();
});

async function connect(options: IClientOptions): Promise<MqttClient> {
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${broker.port}`, {
    reconnectPeriod: 0,
    ...options,
  });
  client.on('error', () => {});
  clients.push(client);
  return client;
}

const of = (clientId: string) => told.filter((event) => event['clientId'] === clientId);
const reasonOf = async (clientId: string) => {
  const gone = await until(() =>
    of(clientId).find(({ topic }) => topic === '$events/client/disconnected'),
  );
  return [gone['reason'], gone['detail']];
};

test('the life of a client, told in order', async () => {
  const client = await connect({ clientId: 'one', keepalive: 30 });
  await client.subscribeAsync({ 'a/#': { qos: 1 }, b: { qos: 2 } });
  await client.publishAsync('c', 'four', { qos: 2, retain: true });
  await client.unsubscribeAsync(['b', 'never']);
  await client.endAsync();
  await until(() => of('one').length === 5);
  const facts = {
    clientId: 'one',
    user: null,
    address: '127.0.0.1',
    transport: 'tcp',
    epoch: expect.any(Number),
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
  };
  const expected = [
    { topic: '$events/client/connected', ...facts, clean: true, keepAliveSeconds: 30 },
    {
      topic: '$events/client/subscribed',
      ...facts,
      subscriptions: [
        { filter: 'a/#', qos: 1 },
        { filter: 'b', qos: 2 },
      ],
    },
    { ...facts, topic: 'c', qos: 2, retain: true, bytes: 4 },
    { topic: '$events/client/unsubscribed', ...facts, filters: ['b'] },
    { topic: '$events/client/disconnected', ...facts, reason: 'clean' },
  ];
  expect(of('one')).toEqual(expected);
  const inCode = heard.filter(({ event }) => event.clientId === 'one');
  expect(inCode.map(({ name }) => name)).toEqual([
    'connected',
    'subscribed',
    'received',
    'unsubscribed',
    'disconnected',
  ]);
});

test('# does not match events', async () => {
  const client = await connect({ clientId: 'all' });
  const topics: string[] = [];
  client.on('message', (topic) => topics.push(topic));
  await client.subscribeAsync(['#', '+/client/connected']);
  await (await connect({ clientId: 'somebody' })).endAsync();
  await client.publishAsync('last', '');
  await until(() => topics.includes('last'));
  expect(topics.filter((topic) => topic.startsWith('$'))).toEqual([]);
});

test('takeover: the new connection has a greater epoch', async () => {
  await connect({ clientId: 'twin' });
  await connect({ clientId: 'twin' });
  expect(await reasonOf('twin')).toEqual(['takeover', undefined]);
  const connections = () => of('twin').filter(({ topic }) => topic === '$events/client/connected');
  await until(() => connections().length === 2);
  const connected = connections();
  const gone = of('twin').find(({ topic }) => topic === '$events/client/disconnected');
  const [first, second] = connected.map(({ epoch }) => epoch as number);
  expect(gone?.['epoch']).toBe(first);
  expect(second).toBeGreaterThan(first ?? Infinity);
});

test('keep-alive: a client that says nothing', async () => {
  const socket = connectSocket(broker.port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write(
    generate({ cmd: 'connect', clientId: 'silent', keepalive: 1, clean: true, protocolVersion: 4 }),
  );
  expect(await reasonOf('silent')).toEqual(['keep-alive', undefined]);
  socket.destroy();
});

test('error: a connection that breaks, and one that breaks the protocol', async () => {
  (await connect({ clientId: 'gone' })).stream.destroy();
  expect(await reasonOf('gone')).toEqual(['error', 'closed without DISCONNECT']);
  (await connect({ clientId: 'wild' })).stream.write(
    generate({ cmd: 'publish', topic: 'a/+', payload: '', qos: 0, retain: false, dup: false }),
  );
  expect(await reasonOf('wild')).toEqual([
    'error',
    'a topic must not contain + or # [MQTT-3.3.2-2]',
  ]);
});

test('a listener that throws harms nobody', async () => {
  broker.events.once('connected', () => {
    throw new Error('listener');
  });
  const client = await connect({ clientId: 'unharmed' });
  await client.publishAsync('x', 'y', { qos: 1 });
  await until(() => of('unharmed').length === 2);
});
