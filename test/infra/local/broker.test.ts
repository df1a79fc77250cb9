// The embedded broker: order, and sessions that survive it.
import mqtt from 'mqtt';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startBroker } from '../../../infra/local/broker.ts';
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
  await first.endAsync(true);
  await publisher.publishAsync('again/a', 'queued', { qos: 1 });

  const received: string[] = [];
  const second = mqtt.connect(broker.url, session);
  second.on('message', (_, payload, { dup }) => received.push(`${payload} ${dup}`));
  await until(() => received.length === 2);
  expect(received).toEqual(['sent true', 'queued false']);
  await second.endAsync();
  await publisher.endAsync();
});
