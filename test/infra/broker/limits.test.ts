// Many clients at once, and clients that are slow, greedy or hostile: nobody else notices, and nothing grows.
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Packet } from 'mqtt-packet';
import { expect, test } from 'vitest';
import type { EmbeddedBroker } from '../../../infra/broker/broker.ts';
import { fc } from '../../support/property.ts';
import { until } from '../../support/wait.ts';
import { bytes, connectPacket, open, subscribePacket } from './raw-client.ts';
import { connect, start } from './started.ts';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

/** A client that subscribes and then never reads again. */
async function deafSubscriber(broker: EmbeddedBroker, topic: string, qos: 0 | 1): Promise<Socket> {
  const socket = open(broker);
  socket.write(connectPacket(`deaf-${topic}`));
  await once(socket, 'data');
  socket.write(subscribePacket(topic, qos));
  await once(socket, 'data');
  socket.pause();
  return socket;
}

/** Somebody else, who is not to notice anything. */
async function bystander(broker: EmbeddedBroker): Promise<() => Promise<void>> {
  const client = await connect(broker);
  let heard = 0;
  client.on('message', () => heard++);
  await client.subscribeAsync('bystander', { qos: 1 });
  return async () => {
    const before = heard;
    await client.publishAsync('bystander', 'still here?', { qos: 1 });
    await until(() => heard > before);
  };
}

test('2,000 clients that connect at once are all served', async () => {
  const broker = await start();
  const answers = await Promise.all(
    Array.from({ length: 2000 }, async (_, index) => {
      const socket = open(broker);
      socket.write(connectPacket(`client-${index}`));
      const [connack] = await once(socket, 'data');
      return connack.toString('hex');
    }),
  );
  expect(new Set(answers)).toEqual(new Set(['20020000']));
  expect(broker.clients).toBe(2000);
  await (await bystander(broker))();
});

test('connections over the limits are closed at once', async () => {
  const broker = await start({ limits: { maxConnections: 3 } });
  const clients = await Promise.all([1, 2, 3].map(() => connect(broker)));
  await once(open(broker), 'close');
  expect(broker.counters.connectionsOverLimit).toBe(1);
  await clients[0]?.endAsync();
  await until(() => broker.clients === 2);
  await connect(broker);
  const other = await start({ limits: { maxConnectionsPerAddress: 1 } });
  await connect(other);
  await once(open(other), 'close');
  expect(other.counters.connectionsOverLimit).toBe(1);
});

test('a client that does not connect, or for ever, is closed in time', async () => {
  const broker = await start({ limits: { connectTimeoutMs: 200 } });
  const silent = open(broker);
  const dribbling = open(broker);
  const connectBytes = connectPacket('slow');
  let sent = 0;
  const timer = setInterval(() => {
    if (sent < connectBytes.length - 1) dribbling.write(connectBytes.subarray(sent, ++sent));
  }, 20);
  await Promise.all([once(silent, 'close'), once(dribbling, 'close')]);
  clearInterval(timer);
  expect(broker.counters.protocolErrors).toBe(2);
});

test('what is no MQTT closes the connection', async () => {
  const broker = await start();
  const socket = open(broker);
  socket.write('GET / HTTP/1.1\r\n\r\n');
  await once(socket, 'close');
  expect(broker.counters.protocolErrors).toBe(1);
});

test.each([
  ['a PUBLISH over maxPacketBytes', Buffer.from('30ffff7f', 'hex'), true],
  ['256 MB announced as CONNECT', Buffer.from('10ffffff7f', 'hex'), false],
  ['a length of five bytes', Buffer.from('30ffffffffff', 'hex'), true],
])('%s closes the connection before it is buffered', async (_, packet, afterConnect) => {
  const broker = await start({ limits: { maxPacketBytes: 64 * 1024 } });
  const undisturbed = await bystander(broker);
  const socket = open(broker);
  if (afterConnect) {
    socket.write(connectPacket('large'));
    await once(socket, 'data');
  }
  socket.write(packet);
  await once(socket, 'close');
  expect(broker.counters.packetsTooLarge).toBe(1);
  await undisturbed();
});

test('a subscriber that does not read: QoS 0 is dropped, then it is closed', async () => {
  const broker = await start({
    limits: { stalledTimeoutMs: 5000, maxMemoryQueueBytes: 1024 * 1024 },
  });
  const undisturbed = await bystander(broker);
  const deaf = await deafSubscriber(broker, 'flood', 0);
  const publisher = await connect(broker);
  const payload = Buffer.alloc(10_000);
  const buffers = () => {
    collectGarbage();
    return process.memoryUsage().arrayBuffers;
  };
  const before = buffers();
  // 40 MB, of which the sockets of the kernel take a few.
  for (let number = 0; number < 4000; number++)
    await publisher.publishAsync('flood', payload, { qos: number % 100 === 0 ? 1 : 0 });
  expect(broker.counters.droppedSlow).toBeGreaterThan(1000);
  // While the client is still there; memory is given back a little after the collection.
  await until(() => buffers() - before < 10e6, { timeoutMs: 4000 });
  await undisturbed();
  await until(() => broker.counters.stalled === 1);
  deaf.destroy();
});

test('a subscriber that does not acknowledge: its queue is bounded, in memory and on disk', async () => {
  const broker = await start({
    limits: { maxInflight: 10, maxQueuedMessages: 100, maxMemoryQueueBytes: 2048 },
  });
  const stubborn = async (clean: boolean) => {
    const client = await connect(broker, { clean, clientId: `stubborn-${clean}` });
    const received: string[] = [];
    client.handleMessage = (packet) => {
      received.push(String(packet.payload));
    };
    await client.subscribeAsync('queue', { qos: 1 });
    return received;
  };
  await stubborn(true);
  await stubborn(false);
  const publisher = await connect(broker);
  for (let number = 0; number < 150; number++)
    await publisher.publishAsync('queue', String(number), { qos: 1 });
  // On disk 100 of 150. In memory what 2,048 bytes hold: each message counts for 64 and what it is.
  const inMemory = broker.counters.droppedQueueFull - 50;
  expect(inMemory).toBeGreaterThan(150 - 2048 / 64);
  expect(inMemory).toBeLessThan(150 - 2048 / 80);
});

test('clean sessions that do not acknowledge share one memory, and give it back', async () => {
  const broker = await start({ limits: { maxMemoryQueuesBytes: 10_000 } });
  const message = { topic: 'shared', payload: 'x'.repeat(30), qos: 1 } as const;
  const room = Math.floor(10_000 / (64 + 6 + 30));
  for (let round = 1; round <= 2; round++) {
    const clients = await Promise.all([1, 2, 3].map(() => connect(broker)));
    for (const client of clients) {
      client.handleMessage = () => {};
      await client.subscribeAsync('shared', { qos: 1 });
    }
    for (let number = 0; number < 50; number++) await broker.publish(message);
    await until(() => broker.counters.droppedQueueFull === round * (150 - room));
    for (const client of clients) client.end(true);
    await until(() => broker.clients === 0);
  }
});

test('retained messages and subscriptions without end are bounded', async () => {
  const broker = await start({ limits: { maxRetainedMessages: 50, maxSubscriptions: 20 } });
  const client = await connect(broker);
  for (let number = 0; number < 80; number++)
    client.publish(`flood/${number}`, 'x', { qos: 0, retain: true });
  await until(() => broker.counters.retainedOverLimit === 30);
  const filters = Array.from({ length: 30 }, (_, number) => `flood/${number}`);
  await expect(client.subscribeAsync(filters)).rejects.toThrow();
  expect(broker.counters.subscriptionsRefused).toBe(10);
  await expect(connect(broker, { clean: false, clientId: 'a' })).resolves.toBeDefined();
});

test('a slow reader gets all retained messages in its own time', async () => {
  const broker = await start({ limits: { maxBufferedBytes: 4096 } });
  for (let number = 0; number < 300; number++)
    await broker.publish({ topic: `state/${number}`, payload: Buffer.alloc(5000), retain: true });
  const reader = await connect(broker);
  const topics = new Set<string>();
  reader.handleMessage = (packet, done) => {
    topics.add(packet.topic);
    setTimeout(done, 1);
  };
  await reader.subscribeAsync('state/#');
  await until(() => topics.size === 300);
  expect(broker.counters.droppedSlow).toBe(0);
});

test('bytes without sense, from connected and unconnected clients', async () => {
  const broker = await start({ limits: { connectTimeoutMs: 500 } });
  const undisturbed = await bystander(broker);
  const valid: Packet[] = [
    { cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'a/+/#', qos: 2 }] },
    { cmd: 'publish', topic: 'a/b', payload: 'x', qos: 2, messageId: 7, retain: true, dup: false },
    { cmd: 'pubrel', messageId: 7 },
    { cmd: 'pubrec', messageId: 1 },
    { cmd: 'puback', messageId: 1 },
    { cmd: 'pubcomp', messageId: 1 },
    { cmd: 'unsubscribe', messageId: 2, unsubscriptions: ['a/+/#'] },
    { cmd: 'pingreq' },
  ];
  const input = fc.tuple(
    fc.boolean(),
    fc.array(
      fc.oneof(
        fc.uint8Array({ maxLength: 300 }).map((random) => Buffer.from(random)),
        fc.constantFrom(...valid).map((packet) => bytes(packet)),
        // A packet with one byte changed gets further into the broker than noise does.
        fc.tuple(fc.constantFrom(...valid), fc.nat(40), fc.nat(255)).map(([packet, at, value]) => {
          const changed = Buffer.from(bytes(packet));
          changed[at % changed.length] = value;
          return changed;
        }),
      ),
      { maxLength: 12 },
    ),
  );
  await fc.assert(
    fc.asyncProperty(input, async ([connected, chunks]) => {
      const socket = open(broker);
      const closed = once(socket, 'close');
      socket.resume();
      if (connected) socket.write(connectPacket(`fuzz-${Math.random()}`));
      for (const chunk of chunks) socket.write(chunk);
      socket.end();
      await closed;
    }),
    { numRuns: 100_000, interruptAfterTimeLimit: 3000, markInterruptAsFailure: false },
  );
  await undisturbed();
  await until(() => broker.clients === 1);
});
