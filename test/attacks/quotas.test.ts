// A user of the embedded broker with few rights who fills what all share.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hashSync } from 'bcryptjs';
import type { IClientOptions } from 'mqtt';
import { expect } from 'vitest';
import { newOwnUser } from '../../infra/broker/access/own-user.ts';
import type { EmbeddedBroker } from '../../infra/broker/broker.ts';
import { connect, start } from '../infra/broker/started.ts';
import { temporaryFolder } from '../support/brokers.ts';
import { until } from '../support/wait.ts';
import { attack } from './attack.ts';

const password = 'light';
const limits = {
  ...{ maxSessions: 100, maxSessionsPerUser: 30 },
  ...{ maxRetainedMessages: 100, maxRetainedMessagesPerUser: 30 },
  ...{ maxMemoryQueuesBytes: 10_000, maxMemoryQueuesBytesPerUser: 3000 },
  maxQueuedBytesPerUser: 3000,
  maxConnectionsPerUser: 60,
};

async function startWithUsers(folder = temporaryFolder('quotas')) {
  const usersFile = join(temporaryFolder('users'), 'users.json');
  const hash = hashSync(password, 4);
  const users = ['evil', 'evil-2', 'evil-3', 'lamp'].map((name) => ({
    name,
    hash,
    publish: [`rooms/${name}/#`],
    subscribe: [`rooms/${name}/#`],
  }));
  writeFileSync(usersFile, JSON.stringify({ users }));
  const ownUser = newOwnUser();
  const broker = await start({ usersFile, anonymous: 'never', ownUser, limits, folder });
  return { broker, own: { username: ownUser.name, password: ownUser.password } };
}

/** The return code of a CONNECT that wants a kept session. */
async function session(broker: EmbeddedBroker, options: IClientOptions): Promise<unknown> {
  const client = await connect(broker, { clean: false, password, ...options }).catch(
    (error: { code: unknown }) => error,
  );
  if ('code' in client) return client.code;
  await client.endAsync();
  return 0;
}

attack(
  'a restricted user leaves kept sessions without end, with 50 connections at once',
  async () => {
    const { broker, own } = await startWithUsers();
    let made = 0;
    const greedy = async (username: string, number: number) => {
      if ((await session(broker, { username, clientId: `${username}-${number}` })) === 0) made++;
    };
    for (const username of ['evil', 'evil-2', 'evil-3']) {
      made = 0;
      await Promise.all(Array.from({ length: 50 }, (_, number) => greedy(username, number)));
      expect(made).toBe(30);
    }
    expect(broker.counters.refusedUnavailable).toBe(60);
    // Three who work together have 90 of 100; the rest is the server's.
    expect(await session(broker, { username: 'lamp', clientId: 'lamp-1' })).toBe(3);
    for (let route = 0; route < 10; route++)
      expect(await session(broker, { ...own, clientId: `causeway-store-${route}` })).toBe(0);
    return 'CONNACK 3 after its 30 of 100; three users together leave the server its ten';
  },
);

attack('a restricted user leaves retained messages without end; after a restart, too', async () => {
  const folder = temporaryFolder('quotas');
  const before = await startWithUsers(folder);
  /** How many messages are kept until the broker ends the connection. */
  const fill = async (broker: EmbeddedBroker, username: string, from = 0) => {
    const client = await connect(broker, { username, password });
    let kept = 0;
    let closed = false;
    client.on('close', () => {
      closed = true;
    });
    for (let number = from; !closed && number < from + 200; number++) {
      const topic = `rooms/${username}/${number}`;
      const acknowledged = client.publishAsync(topic, 'x', { qos: 1, retain: true });
      await Promise.race([acknowledged.then(() => kept++), until(() => closed)]);
    }
    return kept;
  };
  const details: unknown[] = [];
  before.broker.events.on('disconnected', ({ detail }) => details.push(detail));
  expect(await fill(before.broker, 'evil')).toBe(30);
  await until(() => details.length === 1);
  expect(details[0]).toMatch(/^no room for a retained message: evil has 30 .*PerUser/);
  await before.broker.close();
  const { broker, own } = await startWithUsers(folder);
  expect(await fill(broker, 'evil', 500)).toBe(0);
  expect(await fill(broker, 'evil-2')).toBe(30);
  expect(await fill(broker, 'evil-3')).toBe(30);
  const lamp = await connect(broker, { username: 'lamp', password });
  await lamp.publishAsync('rooms/lamp/live', 'x', { qos: 1 });
  const server = await connect(broker, own);
  for (let number = 0; number < 10; number++)
    await server.publishAsync(`own/${number}`, 'x', { qos: 1, retain: true });
  const retained = { retainedMessages: 100 };
  expect(broker.gauges()).toMatchObject(retained);
  // What it takes back, it may keep again.
  const evil = await connect(broker, { username: 'evil', password });
  await evil.publishAsync('rooms/evil/0', '', { qos: 1, retain: true });
  await evil.publishAsync('rooms/evil/new', 'x', { qos: 1, retain: true });
  expect(broker.gauges()).toMatchObject(retained);
  return 'no PUBACK after its 30 of 100, the connection closed with the reason; the server kept its ten';
});

attack(
  'a restricted user acknowledges nothing: clean sessions fill the memory, kept ones the disk',
  async () => {
    const { broker } = await startWithUsers();
    const subscribe = async (username: string, clientId: string, clean: boolean) => {
      const client = await connect(broker, { username, password, clientId, clean });
      await client.subscribeAsync(`rooms/${username}/#`, { qos: 1 });
      return client;
    };
    const publishTo = async (username: string, count: number) => {
      const client = await connect(broker, { username, password });
      for (let number = 0; number < count; number++)
        await client.publishAsync(`rooms/${username}/a`, 'x'.repeat(100), { qos: 1 });
      return client;
    };
    // A message counts for 176 bytes: 17 of them are a share, 56 are all the memory.
    for (const clean of [true, false]) {
      const before = broker.counters.droppedQueueFull;
      for (let number = 0; number < 5; number++) {
        const deaf = await subscribe('evil', `deaf-${clean}-${number}`, clean);
        deaf.handleMessage = () => {};
      }
      const evil = await publishTo('evil', 20);
      expect(broker.counters.droppedQueueFull - before).toBeGreaterThanOrEqual(5 * 20 - 17);
      await evil.endAsync();
    }
    const dropped = broker.counters.droppedQueueFull;
    for (const clean of [true, false]) {
      const heard: string[] = [];
      const lamp = await subscribe('lamp', `lamp-${clean}`, clean);
      lamp.on('message', (_, payload) => heard.push(String(payload)));
      await publishTo('lamp', 30);
      await until(() => heard.length === 30);
      await lamp.endAsync();
    }
    expect(broker.counters.droppedQueueFull).toBe(dropped);
    return 'its own messages were dropped beyond its share; another user lost none of 60';
  },
);

attack('a restricted user keeps 200 connections open, and makes them again and again', async () => {
  const { broker } = await startWithUsers();
  const login = { username: 'evil', password };
  await connect(broker, { ...login, clientId: 'evil-1' });
  const open = async () => {
    const all = Array.from({ length: 100 }, () => connect(broker, login));
    const opened = await Promise.allSettled(all);
    return opened.filter(({ status }) => status === 'fulfilled').length;
  };
  expect([await open(), await open()]).toEqual([59, 0]);
  const lamp = await connect(broker, { username: 'lamp', password });
  await lamp.publishAsync('rooms/lamp/live', 'x', { qos: 1 });
  expect(broker.counters.refusedUnavailable).toBe(141);
  // A client of its own comes back before the end of its old connection has been seen.
  const back = await connect(broker, { ...login, clientId: 'evil-1' });
  expect(back.connected).toBe(true);
  return 'CONNACK 3 after its 60; others connect';
});
