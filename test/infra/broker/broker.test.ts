// The embedded broker: order, QoS, retained messages, wills, and what survives a restart.
import mqtt from 'mqtt';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startBroker } from '../../../infra/broker/broker.ts';
import { startEmbedded, type TestBroker, temporaryFolder } from '../../support/brokers.ts';
import { until } from '../../support/wait.ts';

let broker: TestBroker;
beforeAll(async () => {
  broker = await startEmbedded();
});
afterAll(() => broker.stop());

test('subscribers get every message of a burst in order, whatever its QoS and retain flag', async () => {
  const devices = [true, false].map(async (clean) => {
    const client = await mqtt.connectAsync(broker.url, { clean, clientId: `subscriber-${clean}` });
    const received: string[] = [];
    client.on('message', (_, payload) => received.push(payload.toString()));
    await client.subscribeAsync('burst/#', { qos: 1 });
    return { client, received };
  });
  const subscribers = await Promise.all(devices);
  const publisher = await mqtt.connectAsync(broker.url);
  const numbers = Array.from({ length: 500 }, (_, number) => String(number));
  const published = numbers.map((number, index) =>
    publisher.publishAsync(`burst/${index % 3}`, number, {
      qos: index % 2 ? 1 : 0,
      retain: index % 5 === 0,
    }),
  );
  await Promise.all(published);
  for (const { client, received } of subscribers) {
    await until(() => received.length === 500);
    // MQTT promises order for each topic and QoS [MQTT-4.6.0-5].
    for (const remainder of [0, 1, 2, 3, 4, 5]) {
      const same = received.map(Number).filter((number) => number % 6 === remainder);
      expect(same).toEqual([...same].sort((a, b) => a - b));
    }
    await client.endAsync();
  }
  await publisher.endAsync();
});

test('a session, its backlog and a retained message are there after a restart of the broker', async () => {
  const folder = temporaryFolder('broker');
  const first = await startBroker({ host: '127.0.0.1', port: 0, folder });
  const url = `mqtt://127.0.0.1:${first.port}`;
  const session = { clientId: 'sleeper', clean: false } as const;
  const sleeper = await mqtt.connectAsync(url, session);
  await sleeper.subscribeAsync('kept/#', { qos: 1 });
  await sleeper.endAsync();
  const publisher = await mqtt.connectAsync(url);
  for (let number = 0; number < 20; number++)
    await publisher.publishAsync('kept/a', String(number), { qos: 1 });
  await publisher.publishAsync('state', 'on', { qos: 1, retain: true });
  await publisher.endAsync(true);
  await first.close();

  const second = await startBroker({ host: '127.0.0.1', port: 0, folder });
  const received: string[] = [];
  const woken = mqtt.connect(`mqtt://127.0.0.1:${second.port}`, session);
  woken.on('message', (topic, payload) => received.push(`${topic}=${payload}`));
  await until(() => received.length === 20);
  expect(received).toEqual(Array.from({ length: 20 }, (_, number) => `kept/a=${number}`));
  await woken.subscribeAsync('state');
  await until(() => received.includes('state=on'));
  await woken.endAsync(true);
  await second.close();
});

test('what is sent again has DUP, and what is new has not [MQTT-3.3.1-1]', async () => {
  const session = { clientId: 'forgetful', clean: false } as const;
  const first = await mqtt.connectAsync(broker.url, session);
  // Takes messages and acknowledges none.
  first.handleMessage = () => {};
  await first.subscribeAsync('again/#', { qos: 1 });
  const publisher = await mqtt.connectAsync(broker.url);
  await publisher.publishAsync('again/a', 'sent', { qos: 1 });
  await until(() => first.stream.readableLength === 0);
  let gone = false;
  publisher.on('message', () => {
    gone = true;
  });
  await publisher.subscribeAsync('$events/client/disconnected');
  await first.endAsync(true);
  await until(() => gone);
  await publisher.publishAsync('again/a', 'queued', { qos: 1 });

  const received: string[] = [];
  const second = mqtt.connect(broker.url, session);
  second.on('message', (_, payload, { dup }) => received.push(`${payload} ${dup}`));
  await until(() => received.length === 2);
  expect(received).toEqual(['sent true', 'queued false']);
  await second.endAsync();
  await publisher.endAsync();
});

test('each subscriber gets the lower of both QoS, overlapping filters give one message', async () => {
  const publisher = await mqtt.connectAsync(broker.url);
  for (const clean of [true, false]) {
    const client = await mqtt.connectAsync(broker.url, { clean, clientId: `qos-${clean}` });
    const received: string[] = [];
    client.on('message', (topic, _, { qos }) => received.push(`${topic} ${qos}`));
    await client.subscribeAsync({ 'q/0/#': { qos: 0 }, 'q/1/#': { qos: 1 }, 'q/+/x': { qos: 2 } });
    for (const topic of ['q/0/x', 'q/0/y', 'q/1/y'])
      for (const qos of [0, 1, 2] as const) await publisher.publishAsync(topic, '', { qos });
    await until(() => received.length === 9);
    expect(received.sort()).toEqual(
      ['q/0/x 0', 'q/0/x 1', 'q/0/x 2', 'q/0/y 0', 'q/0/y 0', 'q/0/y 0'].concat([
        'q/1/y 0',
        'q/1/y 1',
        'q/1/y 1',
      ]),
    );
    await client.unsubscribeAsync('q/+/x');
    await publisher.publishAsync('q/1/x', '', { qos: 2 });
    await publisher.publishAsync('q/2/x', '', { qos: 2 });
    await until(() => received.length === 10);
    expect(received.at(-1)).toBe('q/1/x 1');
    await client.endAsync();
  }
  await publisher.endAsync();
});

test('a retained message goes to new subscriptions, an empty one takes it back', async () => {
  const publisher = await mqtt.connectAsync(broker.url);
  await publisher.publishAsync('kept/1', 'one', { qos: 1, retain: true });
  await publisher.publishAsync('kept/2', 'two', { qos: 2, retain: true });
  await publisher.publishAsync('kept/1', '', { qos: 1, retain: true });
  const received: string[] = [];
  publisher.on('message', (topic, payload, { qos, retain }) =>
    received.push(`${topic}=${payload} ${qos} ${retain}`),
  );
  await publisher.subscribeAsync(['kept/#', 'kept/2'], { qos: 1 });
  await until(() => received.length === 1);
  await publisher.publishAsync('kept/2', 'new', { qos: 1, retain: true });
  await until(() => received.length === 2);
  expect(received).toEqual(['kept/2=two 1 true', 'kept/2=new 1 false']);
  await publisher.endAsync();
});

test('the server publishes to clients itself', async () => {
  const own = await startBroker({ port: 0, folder: temporaryFolder('broker') });
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${own.port}`);
  const received: string[] = [];
  client.on('message', (topic, payload, { qos }) => received.push(`${topic}=${payload} ${qos}`));
  await client.subscribeAsync('commands/#', { qos: 2 });
  await own.publish({ topic: 'commands/lamp', payload: 'on', qos: 2 });
  await own.publish({ topic: 'commands/fan', payload: Buffer.from('off') });
  await until(() => received.length === 2);
  expect(received.sort()).toEqual(['commands/fan=off 0', 'commands/lamp=on 2']);
  await expect(own.publish({ topic: 'a/#', payload: '' })).rejects.toThrow('wildcards');
  await client.endAsync();
  await own.close();
});

test('a will is published when the connection breaks, and not after DISCONNECT', async () => {
  const watcher = await mqtt.connectAsync(broker.url);
  const received: string[] = [];
  watcher.on('message', (topic) => received.push(topic));
  await watcher.subscribeAsync('wills/#', { qos: 1 });
  const will = (topic: string) =>
    ({ topic, payload: Buffer.from(''), qos: 1, retain: false }) as const;
  const polite = await mqtt.connectAsync(broker.url, { will: will('wills/polite') });
  await polite.endAsync();
  const lost = await mqtt.connectAsync(broker.url, {
    will: will('wills/lost'),
    reconnectPeriod: 0,
  });
  lost.stream.destroy();
  await until(() => received.length === 1);
  expect(received).toEqual(['wills/lost']);
  await watcher.endAsync();
});
