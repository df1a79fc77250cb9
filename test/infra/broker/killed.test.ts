// SIGKILL in the middle of traffic: what the broker has acknowledged is delivered, in order, and QoS 2 once.
import { connect as connectSocket } from 'node:net';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import { parser as createParser, generate, type Packet } from 'mqtt-packet';
import { afterEach, expect, test } from 'vitest';
import { temporaryFolder } from '../../support/brokers.ts';
import { freePort } from '../../support/ports.ts';
import { until } from '../../support/wait.ts';
import { type ChildBroker, startChild } from './child.ts';

let broker: ChildBroker;
let clients: MqttClient[] = [];
afterEach(async () => {
  for (const client of clients) client.end(true);
  clients = [];
  await broker.stop('SIGKILL');
});

async function place() {
  const port = await freePort();
  const environment = {
    BROKER_PORT: String(port),
    BROKER_FOLDER: temporaryFolder('killed'),
    BROKER_MAX_INFLIGHT: '20',
  };
  const url = `mqtt://127.0.0.1:${port}`;
  const connect = async (options: IClientOptions = {}) => {
    const client = await mqtt.connectAsync(url, { reconnectPeriod: 50, ...options });
    client.on('error', () => {});
    clients.push(client);
    return client;
  };
  return { url, port, connect, start: async () => (broker = await startChild(environment)) };
}

test('QoS 1 and 2 in flight both ways when the broker is killed, three times', async () => {
  const { connect, start } = await place();
  await start();
  const session = { clean: false, clientId: 'subscriber' } as const;
  const subscriber = await connect(session);
  const received: Record<string, number[]> = { one: [], two: [] };
  subscriber.on('message', (topic, payload) => {
    received[topic]?.push(Number(payload));
  });
  await subscriber.subscribeAsync({ one: { qos: 1 }, two: { qos: 2 } });

  let stop = false;
  const acknowledged: Record<string, number> = { one: 0, two: 0 };
  const publishing = (['one', 'two'] as const).map(async (topic) => {
    const publisher = await connect({ clean: false, clientId: `publisher-${topic}` });
    for (let number = 0; !stop; number += 10) {
      const burst = Array.from({ length: 10 }, (_, index) => String(number + index + 1));
      const qos = topic === 'one' ? 1 : 2;
      await Promise.all(burst.map((text) => publisher.publishAsync(topic, text, { qos })));
      acknowledged[topic] = number + 10;
    }
  });
  for (let round = 0; round < 3; round++) {
    const goal = (acknowledged['two'] ?? 0) + 100;
    await until(() => (acknowledged['two'] ?? 0) > goal);
    await broker.stop('SIGKILL');
    await start();
  }
  stop = true;
  await Promise.all(publishing);
  await until(
    () =>
      received['one']?.at(-1) === acknowledged['one'] &&
      received['two']?.at(-1) === acknowledged['two'],
  );

  const upTo = (last = 0) => Array.from({ length: last }, (_, index) => index + 1);
  expect(received['two']).toEqual(upTo(acknowledged['two']));
  const one = received['one'] ?? [];
  expect([...new Set(one)]).toEqual(upTo(acknowledged['one']));
});

test('a QoS 2 message whose PUBREC came before the kill is no new one after it', async () => {
  const { connect, start, port } = await place();
  await start();
  const watcher = await connect({ clean: false, clientId: 'watcher' });
  const received: string[] = [];
  watcher.on('message', (_, payload) => received.push(String(payload)));
  await watcher.subscribeAsync('two', { qos: 2 });
  const publish = { cmd: 'publish', topic: 'two', qos: 2, messageId: 7, retain: false } as const;
  /** Connects, sends a packet, resolves with the answers to both. */
  const exchange = async (packet: Packet) => {
    const socket = connectSocket(port, '127.0.0.1');
    const answers: Packet[] = [];
    const parser = createParser();
    parser.on('packet', (answer) => answers.push(answer));
    socket.on('data', (chunk) => parser.parse(chunk));
    socket.on('error', () => {});
    const connectAs = { cmd: 'connect', clientId: 'raw', clean: false, keepalive: 0 } as const;
    socket.write(Buffer.concat([generate(connectAs), generate(packet)]));
    await until(() => answers.length === 2);
    return answers.map((answer) => [
      answer.cmd,
      'sessionPresent' in answer && answer.sessionPresent,
    ]);
  };
  const first = await exchange({ ...publish, payload: 'once', dup: false });
  expect(first).toEqual([
    ['connack', false],
    ['pubrec', false],
  ]);
  for (const [packet, answer] of [
    [{ ...publish, payload: 'once', dup: true }, 'pubrec'],
    [{ cmd: 'pubrel', messageId: 7 }, 'pubcomp'],
    [{ ...publish, payload: 'another', dup: false }, 'pubrec'],
  ] as const) {
    await broker.stop('SIGKILL');
    await start();
    expect(await exchange(packet)).toEqual([
      ['connack', true],
      [answer, false],
    ]);
  }
  await until(() => received.includes('another'));
  expect(received).toEqual(['once', 'another']);
});

test('a backlog keeps its order over two kills, and what was sent before has DUP', async () => {
  const { connect, start } = await place();
  await start();
  const session = { clean: false, clientId: 'sleeper' } as const;
  const sleeper = await connect(session);
  sleeper.handleMessage = () => {};
  await sleeper.subscribeAsync('backlog', { qos: 1 });
  const publisher = await connect();
  const publish = async (from: number, to: number) => {
    const numbers = Array.from({ length: to - from }, (_, index) => String(from + index));
    await Promise.all(numbers.map((text) => publisher.publishAsync('backlog', text, { qos: 1 })));
  };
  await publish(0, 10);
  await until(() => (sleeper.stream.readableLength ?? 0) === 0);
  let gone = false;
  publisher.on('message', () => {
    gone = true;
  });
  await publisher.subscribeAsync('$events/client/disconnected');
  sleeper.end(true);
  await until(() => gone);
  await publish(10, 20);
  await broker.stop('SIGKILL');
  await start();
  await until(() => publisher.connected);
  await publish(20, 30);
  await broker.stop('SIGKILL');
  await start();

  const received: string[] = [];
  const dups: boolean[] = [];
  const woken = mqtt.connect(`mqtt://127.0.0.1:${publisher.options.port}`, session);
  clients.push(woken);
  woken.on('message', (_, payload, { dup }) => {
    received.push(payload.toString());
    dups.push(dup);
  });
  await until(() => received.length >= 30);
  expect(received).toEqual(Array.from({ length: 30 }, (_, number) => String(number)));
  expect(dups).toEqual(received.map((_, number) => number < 10));
});

test('after a kill, wills are published, the clients said to be gone, and retained messages there', async () => {
  const { connect, start, url } = await place();
  await start();
  const watch = { clean: false, clientId: 'watcher' } as const;
  const watcher = await connect(watch);
  await watcher.subscribeAsync(['status/+', '$events/client/disconnected'], { qos: 1 });
  watcher.end(true);
  const device = await connect({
    clientId: 'device',
    reconnectPeriod: 0,
    will: { topic: 'status/device', payload: Buffer.from('lost'), qos: 1, retain: true },
  });
  await device.publishAsync('status/other', 'kept', { qos: 1, retain: true });
  await broker.stop('SIGKILL');
  await start();

  const received: string[] = [];
  const events: Record<string, unknown>[] = [];
  const again = mqtt.connect(url, watch);
  clients.push(again);
  again.on('message', (topic, payload) => {
    if (topic.startsWith('$events')) events.push(JSON.parse(payload.toString()));
    else received.push(`${topic}=${payload}`);
  });
  await until(() => received.length >= 2 && events.some(({ clientId }) => clientId === 'device'));
  expect(received).toEqual(['status/other=kept', 'status/device=lost']);
  const gone = events.find(({ clientId }) => clientId === 'device');
  expect(gone).toMatchObject({ reason: 'server', detail: 'the broker was killed', user: null });
  const late = await connect();
  const retained: string[] = [];
  late.on('message', (topic, payload, { retain }) =>
    retained.push(`${topic}=${payload} ${retain}`),
  );
  await late.subscribeAsync('status/#', { qos: 1 });
  await until(() => retained.length === 2);
  expect(retained.sort()).toEqual(['status/device=lost true', 'status/other=kept true']);
});

test('on MQTT 5 a session comes back with its subscription, and each message with what was said of it', async () => {
  const { connect, start, url } = await place();
  await start();
  const session = {
    clientId: 'five',
    protocolVersion: 5,
    clean: false,
    properties: { sessionExpiryInterval: 600 },
  } as const;
  const sleeper = await connect(session);
  const subscription = { qos: 2, rap: true, properties: { subscriptionIdentifier: 77 } } as const;
  await sleeper.subscribeAsync('five/#', subscription);
  await sleeper.endAsync();
  const publisher = await connect({ protocolVersion: 5 });
  const said = {
    messageExpiryInterval: 600,
    contentType: 'text/plain',
    responseTopic: 'five/answer',
    correlationData: Buffer.from([1, 2]),
    userProperties: { a: ['1', '2'], b: '3' },
  };
  const short = { messageExpiryInterval: 1 };
  await publisher.publishAsync('five/a', 'kept', { qos: 1, retain: true, properties: said });
  await publisher.publishAsync('five/b', 'expires', { qos: 2, properties: short });
  const expiredMs = Date.now() + 1000;
  await publisher.publishAsync('five/b', 'last', { qos: 2 });
  await broker.stop('SIGKILL');
  await until(() => Date.now() > expiredMs);
  await start();

  const received: { text: string; retain: boolean; properties: unknown }[] = [];
  const again = mqtt.connect(url, session);
  clients.push(again);
  again.on('message', (_, payload, { retain, properties }) =>
    received.push({ text: String(payload), retain, properties }),
  );
  await until(() => received.length === 2);
  expect(received).toEqual([
    {
      text: 'kept',
      retain: true,
      properties: {
        ...said,
        messageExpiryInterval: expect.any(Number),
        subscriptionIdentifier: 77,
      },
    },
    { text: 'last', retain: false, properties: { subscriptionIdentifier: 77 } },
  ]);
});
