// A full queue: the publishers of the server's own sessions wait, those of all others do not.
import type { IClientOptions, MqttClient } from 'mqtt';
import { expect, onTestFinished, test, vi } from 'vitest';
import { newOwnUser } from '../../../infra/broker/access/own-user.ts';
import type { EmbeddedBroker, EmbeddedBrokerOptions } from '../../../infra/broker/broker.ts';
import { Subscriptions } from '../../../infra/broker/routing/subscriptions.ts';
import type { Session } from '../../../infra/broker/session/session.ts';
import { Sessions } from '../../../infra/broker/session/sessions.ts';
import { limitsSchema } from '../../../infra/broker/settings/settings.ts';
import { Store } from '../../../infra/broker/store/broker-store.ts';
import { createCounters } from '../../../infra/broker/telemetry/counters.ts';
import { temporaryFolder } from '../../support/brokers.ts';
import { until } from '../../support/wait.ts';
import { bytes, connectPacket, open } from './raw-client.ts';
import { closeAfterTest, connect, start } from './started.ts';

const maxQueuedMessages = 10;
/** What of it is for messages that can wait. */
const taken = 9;
const kept = { clean: false, properties: { sessionExpiryInterval: 3600 } } as const;

interface BrokerWithBridge {
  readonly broker: EmbeddedBroker;
  /** The bridge connects; what it gets is acknowledged. */
  bridge(options?: IClientOptions): Promise<{ client: MqttClient; heard: string[] }>;
}

/** A broker whose bridge has subscribed to all, and is away. */
async function brokerWithoutBridge(
  options: Partial<EmbeddedBrokerOptions['limits']> = {},
): Promise<BrokerWithBridge> {
  const ownUser = newOwnUser();
  const broker = await start({ ownUser, limits: { maxQueuedMessages, ...options } });
  const { name: username, password } = ownUser;
  const bridge = async (more: IClientOptions = {}) => {
    const heard: string[] = [];
    const login = { username, password, clientId: 'causeway-store-0', protocolVersion: 5 } as const;
    const client = await connect(broker, { ...login, ...kept, ...more });
    client.on('message', (_, payload) => heard.push(String(payload)));
    await client.subscribeAsync('#', { qos: 2 });
    return { client, heard };
  };
  await (await bridge()).client.endAsync();
  await until(() => broker.clients === 0);
  return { broker, bridge };
}

/** Publishes without waiting for one PUBACK before the next message. */
function publishAll(client: MqttClient, texts: readonly string[], qos: 1 | 2) {
  const acknowledged: string[] = [];
  for (const text of texts)
    client.publish('rooms/1', text, { qos }, (error) => {
      if (!error) acknowledged.push(text);
    });
  return acknowledged;
}

const numbers = (count: number) => Array.from({ length: count }, (_, number) => String(number));

test.each([
  [4, 1],
  [4, 2],
  [5, 1],
  [5, 2],
] as const)(
  'MQTT %s, QoS %s: nothing is acknowledged that the bridge does not get',
  async (protocolVersion, qos) => {
    const { broker, bridge } = await brokerWithoutBridge();
    const device = await connect(broker, { protocolVersion });
    const texts = numbers(100);
    const acknowledged = publishAll(device, texts, qos);
    await until(() => broker.gauges().heldMessages === 100 - taken);
    expect(acknowledged.length).toBeLessThanOrEqual(taken);
    expect(broker.gauges().queuedMessages).toBe(taken);

    const { heard } = await bridge();
    await until(() => acknowledged.length === 100);
    await until(() => heard.length === 100);
    expect(heard).toEqual(texts);
    expect(acknowledged).toEqual(texts);
    expect(broker.counters.droppedQueueFull).toBe(0);
    expect(broker.gauges().heldMessages).toBe(0);
  },
);

test('a device that goes while it waits keeps its messages, and sends them again', async () => {
  const { broker, bridge } = await brokerWithoutBridge();
  const device = await connect(broker, { clientId: 'lamp', clean: false, reconnectPeriod: 20 });
  const acknowledged = publishAll(device, numbers(20), 1);
  await until(() => broker.gauges().heldMessages === 20 - taken);
  await until(() => acknowledged.length === taken);
  const connectedBefore = broker.counters.connected;
  device.stream.destroy();
  await until(() => broker.counters.connected > connectedBefore);
  // MQTT.js sends what it kept one by one.
  await until(() => broker.gauges().heldMessages === 1);

  const { heard } = await bridge();
  await until(() => acknowledged.length === 20);
  await until(() => heard.length === 20);
  expect(heard).toEqual(numbers(20));
});

test('who waits is there for all else: it is heard, answered, and gets messages', async () => {
  const { broker } = await brokerWithoutBridge();
  const device = await connect(broker);
  publishAll(device, numbers(20), 1);
  await until(() => broker.gauges().heldMessages === 20 - taken);
  const heard: string[] = [];
  device.on('message', (topic) => heard.push(topic));
  await device.subscribeAsync('$own/lamp', { qos: 1 });
  await broker.publish({ topic: '$own/lamp', payload: 'on', qos: 1 });
  await until(() => heard.length === 1);
  await device.publishAsync('rooms/1', 'QoS 0');
});

test('messages that no bridge subscribed to do not wait', async () => {
  const ownUser = newOwnUser();
  const broker = await start({ ownUser, limits: { maxQueuedMessages } });
  const { name: username, password } = ownUser;
  const bridge = await connect(broker, {
    ...{ username, password, clientId: 'causeway-store-0' },
    clean: false,
  });
  await bridge.subscribeAsync('rooms/#', { qos: 1 });
  await bridge.endAsync();
  publishAll(await connect(broker), numbers(20), 1);
  await until(() => broker.gauges().heldMessages === 20 - taken);
  const other = await connect(broker);
  await other.publishAsync('garden/1', 'x', { qos: 1 });
  await other.publishAsync('rooms/1', 'x', { qos: 0 });
});

test('what cannot wait has the last of the room: wills, and what the server itself publishes', async () => {
  const { broker, bridge } = await brokerWithoutBridge({ maxQueuedMessages: 100 });
  const will = { topic: 'left', payload: Buffer.from('will'), qos: 1 } as const;
  const device = await connect(broker, { will });
  publishAll(device, numbers(120), 1);
  await until(() => broker.gauges().heldMessages === 120 - 90);
  device.stream.destroy();
  await broker.publish({ topic: 'own', payload: 'own', qos: 1 });
  await until(() => broker.gauges().queuedMessages === 92);
  const { heard } = await bridge();
  await until(() => heard.length === 92);
  expect(heard.slice(-2).toSorted()).toEqual(['own', 'will']);
});

test('messages that wait are bounded: over maxHeldBytes their publishers are not read', async () => {
  const { broker, bridge } = await brokerWithoutBridge({ maxHeldBytes: 100_000 });
  const devices = await Promise.all([1, 2, 3].map(() => connect(broker)));
  const large = 'x'.repeat(10_000);
  const acknowledged = devices.map((device) =>
    publishAll(
      device,
      numbers(50).map(() => large),
      1,
    ),
  );
  await until(() => broker.gauges().heldMessages >= 9);
  // Nobody is read beyond the message that reached it.
  expect(broker.gauges().heldMessages).toBeLessThanOrEqual(10 + devices.length);
  const { heard } = await bridge();
  await until(() => heard.length === 150);
  await until(() => acknowledged.every(({ length }) => length === 50));
});

test('who waits for one session is read again when those who wait for another have made room', async () => {
  const ownUser = newOwnUser();
  const limits = { maxQueuedMessages: 1, maxHeldBytes: 20_000 };
  const broker = await start({ ownUser, limits });
  const login = { username: ownUser.name, password: ownUser.password, ...kept };
  const bridgeOf = async (route: string) => {
    const clientId = `causeway-${route}-0`;
    const client = await connect(broker, { ...login, protocolVersion: 5, clientId });
    await client.subscribeAsync(`${route}/#`, { qos: 1 });
    return client;
  };
  for (const route of ['paused', 'well']) await (await bridgeOf(route)).endAsync();
  const [one, other] = [await connect(broker), await connect(broker)];
  for (const route of ['paused', 'well']) await one.publishAsync(`${route}/1`, 'x', { qos: 1 });
  other.publish('well/1', 'x'.repeat(15_000), { qos: 1 });
  await until(() => broker.gauges().heldMessages === 1);
  one.publish('paused/1', 'x'.repeat(6000), { qos: 1 });
  await until(() => broker.gauges().heldMessages === 2);
  const subscribing = one.subscribeAsync('$own/lamp');
  await bridgeOf('well');
  await subscribing;
  expect(broker.gauges().heldMessages).toBe(1);
});

test('the first message of each client is bounded, too: where there is no room to wait, it is refused', async () => {
  const { broker } = await brokerWithoutBridge({ maxQueuedMessages: 1, maxHeldBytes: 20_000 });
  const connectAs = (protocolVersion: 4 | 5) => connect(broker, { protocolVersion });
  await (await connectAs(5)).publishAsync('rooms/1', 'x', { qos: 1 });
  const large = 'x'.repeat(15_000);
  for (const held of [1, 2]) {
    (await connectAs(5)).publish('rooms/1', large, { qos: 1 });
    await until(() => broker.gauges().heldMessages === held);
  }
  const newer = await connectAs(5);
  await expect(newer.publishAsync('rooms/1', large, { qos: 1 })).rejects.toMatchObject({
    code: 0x97,
  });
  expect(newer.connected).toBe(true);
  const older = await connectAs(4);
  older.publish('rooms/1', large, { qos: 1 });
  await until(() => !older.connected);
  // A small one has room.
  (await connectAs(4)).publish('rooms/1', 'x', { qos: 1 });
  await until(() => broker.gauges().heldMessages === 3);
});

test('a message of QoS 2 that is sent again while it waits is handed on once', async () => {
  const { broker, bridge } = await brokerWithoutBridge({ maxQueuedMessages: 1 });
  await (await connect(broker)).publishAsync('rooms/1', 'first', { qos: 1 });
  const device = open(broker);
  device.write(connectPacket('lamp'));
  const publish = { cmd: 'publish', topic: 'rooms/1', payload: 'again', qos: 2 } as const;
  for (const dup of [false, true])
    device.write(bytes({ ...publish, messageId: 1, dup, retain: false }));
  await until(() => broker.gauges().heldMessages === 2);
  const { heard } = await bridge();
  await until(() => broker.gauges().heldMessages === 0);
  (await connect(broker)).publish('rooms/1', 'last', { qos: 1 });
  await until(() => heard.includes('last'));
  expect(heard).toEqual(['first', 'again', 'last']);
});

test('another session that is full stops nobody, and loses the newest', async () => {
  const { broker, bridge } = await brokerWithoutBridge();
  await bridge();
  const away = await connect(broker, { clientId: 'dead', clean: false });
  await away.subscribeAsync('rooms/#', { qos: 1 });
  await away.endAsync();
  const device = await connect(broker, { protocolVersion: 5 });
  const acknowledged = publishAll(device, numbers(30), 1);
  await until(() => acknowledged.length === 30);
  expect(broker.counters.droppedQueueFull).toBe(20);
});

test.each([1, 2] as const)(
  'a message of QoS %s that nobody has room for is refused on MQTT 5',
  async (qos) => {
    const broker = await start({ limits: { maxQueuedMessages } });
    const away = await connect(broker, { clientId: 'dead', clean: false });
    await away.subscribeAsync('rooms/#', { qos });
    await away.endAsync();
    const refused = { code: 0x97 };
    const device = await connect(broker, { protocolVersion: 5 });
    const publish = (retain = false) => device.publishAsync('rooms/1', 'x', { qos, retain });
    for (let number = 0; number < maxQueuedMessages; number++) await publish();
    await expect(publish()).rejects.toMatchObject(refused);
    await expect(publish()).rejects.toMatchObject(refused);
    // As a retained message it is kept.
    await publish(true);
    const older = await connect(broker);
    await older.publishAsync('rooms/1', 'x', { qos });
    // Who gets it is enough.
    const there = await connect(broker);
    await there.subscribeAsync('rooms/1', { qos: 0 });
    await publish();
  },
);

test('of a shared subscription a member with room gets what another has none for', async () => {
  const broker = await start({ limits: { maxQueuedMessages } });
  for (const clientId of ['one', 'other']) {
    const member = await connect(broker, { clientId, protocolVersion: 5, ...kept });
    await member.subscribeAsync(['$share/all/rooms/#', `only/${clientId}`], { qos: 1 });
    await member.endAsync();
  }
  await until(() => broker.clients === 0);
  const publish = (topic: string) => broker.publish({ topic, payload: 'x', qos: 1 });
  for (let number = 0; number < maxQueuedMessages; number++) await publish('only/one');
  for (let number = 0; number < maxQueuedMessages; number++) await publish('rooms/1');
  expect(broker.counters.droppedQueueFull).toBe(0);
  await publish('rooms/1');
  expect(broker.counters.droppedQueueFull).toBe(1);
});

test('a message whose room to be retained is gone while it waited is refused', async () => {
  const limits = { maxQueuedMessages: 1, maxRetainedMessages: 2, maxRetainedMessagesPerUser: 2 };
  const { broker, bridge } = await brokerWithoutBridge(limits);
  const device = await connect(broker, { protocolVersion: 5 });
  await device.publishAsync('first', 'x', { qos: 1 });
  const outcomes: string[] = [];
  for (const topic of ['one', 'other'])
    device.publish(topic, 'x', { qos: 1, retain: true }, (error) =>
      outcomes.push(`${topic} ${error ? 'refused' : 'kept'}`),
    );
  await until(() => broker.gauges().heldMessages === 2);
  await bridge();
  await until(() => outcomes.length === 2);
  expect(outcomes).toEqual(['one kept', 'other refused']);
});

test('nobody waits for long for a session that no bridge comes for any more', async () => {
  const store = await Store.open(temporaryFolder('back-pressure'));
  closeAfterTest(() => store.close());
  const limits = { ...limitsSchema.parse({}), maxQueuedMessages };
  const load = () => Sessions.load(store, new Subscriptions<Session>(), limits, createCounters());
  const message = { topic: 'a', payload: Buffer.alloc(0), qos: 1, retain: false } as const;
  const clientId = 'causeway-gone-0';
  const leftAtMs = Date.now();
  const before = await load();
  const session = await before.open(clientId, newOwnUser().name);
  expect(before.own.fullFor(message)).toEqual([]);
  for (let number = 0; number < taken; number++)
    await session.deliver({ message, qos: 1, retain: false });
  expect(before.own.fullFor(message)).toEqual([session]);
  const laterMs = leftAtMs + 3_600_000;
  expect(before.own.fullFor(message, laterMs)).toEqual([]);
  await store.settled();

  // After a start a bridge may still come for it, however long ago it was there.
  vi.useFakeTimers({ toFake: ['Date'], now: laterMs });
  onTestFinished(() => void vi.useRealTimers());
  const sessions = await load();
  expect(sessions.own.fullFor(message)).toEqual([sessions.get(clientId)]);
  expect(sessions.own.fullFor(message, laterMs + 60_000)).toEqual([]);
  await sessions.remove(clientId);
  expect(sessions.own.fullFor(message)).toEqual([]);
});
