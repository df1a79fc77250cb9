// Sessions: who has one, who takes it over, and how it ends.
import mqtt from 'mqtt';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startBroker } from '../../../infra/broker/broker.ts';
import { plainSubscription } from '../../../infra/broker/routing/subscription.ts';
import { Subscriptions } from '../../../infra/broker/routing/subscriptions.ts';
import type { Session } from '../../../infra/broker/session/session.ts';
import { Sessions } from '../../../infra/broker/session/sessions.ts';
import { limitsSchema } from '../../../infra/broker/settings/settings.ts';
import { Store } from '../../../infra/broker/store/broker-store.ts';
import { createCounters } from '../../../infra/broker/telemetry/counters.ts';
import { startEmbedded, type TestBroker, temporaryFolder } from '../../support/brokers.ts';
import { until } from '../../support/wait.ts';

let broker: TestBroker;
beforeAll(async () => {
  broker = await startEmbedded();
});
afterAll(() => broker.stop());

test('a session is there for who comes back, and gone after a clean one [MQTT-3.2.2-2]', async () => {
  const present = async (clean: boolean) => {
    const client = mqtt.connect(broker.url, { clientId: 'again', clean, protocolVersion: 4 });
    const sessionPresent = await new Promise((resolve) => {
      client.once('connect', (connack) => resolve(connack.sessionPresent));
    });
    await client.endAsync();
    return sessionPresent;
  };
  expect(await present(false)).toBe(false);
  // Also without a subscription: what is in flight belongs to the session.
  expect(await present(false)).toBe(true);
  expect(await present(true)).toBe(false);
  expect(await present(false)).toBe(false);
});

test('a session that a clean connection ended is gone for good, also after a restart', async () => {
  const folder = temporaryFolder('broker');
  let own = await startBroker({ port: 0, folder });
  const connect = (clean: boolean) =>
    mqtt.connectAsync(`mqtt://127.0.0.1:${own.port}`, {
      clientId: 'ended',
      clean,
      reconnectPeriod: 0,
    });
  const first = await connect(false);
  first.handleMessage = () => {};
  await first.subscribeAsync('ended', { qos: 1 });
  await own.publish({ topic: 'ended', payload: 'old', qos: 1 });
  const second = await connect(true);
  await until(() => !first.connected);
  await second.endAsync();
  await own.close();
  own = await startBroker({ port: 0, folder });
  const third = mqtt.connect(`mqtt://127.0.0.1:${own.port}`, { clientId: 'ended', clean: false });
  const present = await new Promise((resolve) => {
    third.once('connect', (connack) => resolve(connack.sessionPresent));
  });
  expect(present).toBe(false);
  const received: string[] = [];
  third.on('message', (_, payload) => received.push(String(payload)));
  await own.publish({ topic: 'ended', payload: 'unheard', qos: 1 });
  await third.subscribeAsync('ended', { qos: 1 });
  await own.publish({ topic: 'ended', payload: 'new', qos: 1 });
  await until(() => received.length === 1);
  expect(received).toEqual(['new']);
  await third.endAsync();
  await own.close();
});

test('of many connections with one client id the last remains, and can be taken over again', async () => {
  const own = await startBroker({ port: 0, folder: temporaryFolder('broker') });
  const reasons: string[] = [];
  own.events.on('disconnected', ({ reason }) => reasons.push(reason));
  const session = { clientId: 'same', clean: false, reconnectPeriod: 0 } as const;
  const url = `mqtt://127.0.0.1:${own.port}`;
  const clients = Array.from({ length: 20 }, () => mqtt.connect(url, session));
  let closed = 0;
  for (const client of clients) {
    client.on('error', () => {});
    client.on('close', () => closed++);
  }
  await until(() => closed === 19 && clients.some((client) => client.connected));
  const last = await mqtt.connectAsync(url, session);
  await until(() => !clients.some((client) => client.connected));
  expect(own.clients).toBe(1);
  expect(new Set(reasons)).toEqual(new Set(['takeover']));
  const received: string[] = [];
  last.on('message', (_, payload) => received.push(String(payload)));
  await last.subscribeAsync('still', { qos: 1 });
  await own.publish({ topic: 'still', payload: 'here', qos: 1 });
  await until(() => received.length === 1);
  await last.endAsync();
  await own.close();
});

test('sessions end when their client has been away for too long', async () => {
  const folder = temporaryFolder('broker');
  const store = await Store.open(folder);
  const counters = createCounters();
  const limits = { ...parsedLimits(), sessionExpirySeconds: 60 };
  const subscriptions = new Subscriptions<Session>();
  const sessions = await Sessions.load(store, subscriptions, limits, counters);
  for (const clientId of ['away', 'there']) {
    const session = await sessions.open(clientId, undefined);
    await sessions.subscribe(session, plainSubscription('a', 1));
    const message = { topic: 'a', payload: Buffer.from('x'), qos: 1, retain: false } as const;
    await session.outbox.append({ message, qos: 1, retain: false });
  }
  sessions.get('there')?.attach(receiver);
  await sessions.expire(Date.now() + 59_000);
  expect(sessions.size).toBe(2);
  await sessions.expire(Date.now() + 61_000);
  expect([sessions.get('away'), sessions.size]).toEqual([undefined, 1]);
  expect(counters.sessionsExpired).toBe(1);
  await store.settled();
  const left = new Subscriptions<Session>();
  const again = await Sessions.load(store, left, limits, counters);
  expect([again.get('away'), again.size]).toEqual([undefined, 1]);
  expect(again.get('there')?.outbox.messages).toBe(1);
  for (const one of [subscriptions, left])
    expect(one.routesOf('a').members.map(({ member }) => member.clientId)).toEqual(['there']);
  await store.close();
});

const receiver = {
  blocked: false,
  receiveMaximum: 10,
  send: () => true,
  sendOrDrop() {},
  release() {},
};

const parsedLimits = () => limitsSchema.parse({});
