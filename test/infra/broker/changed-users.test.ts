// What a change of the users file does to who is away, or on the way in.
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hashSync } from 'bcryptjs';
import mqtt, { type IClientOptions } from 'mqtt';
import { beforeEach, expect, test } from 'vitest';
import { Passwords } from '../../../infra/broker/access/passwords.ts';
import { type Users, usersSchema, usersValidator } from '../../../infra/broker/access/users.ts';
import type { EmbeddedBroker } from '../../../infra/broker/broker.ts';
import { limitsSchema } from '../../../infra/broker/settings/settings.ts';
import { createCounters } from '../../../infra/broker/telemetry/counters.ts';
import { temporaryFolder } from '../../support/brokers.ts';
import { until } from '../../support/wait.ts';
import { closeAfterTest, connect, start } from './started.ts';

const hash = hashSync('light', 4);
const lamp = { name: 'lamp', hash, publish: ['#'], subscribe: ['#'] };
const fan = { ...lamp, name: 'fan' };
const session = { clientId: 'one', clean: false, password: 'light' };

let usersFile: string;
beforeEach(() => {
  usersFile = join(temporaryFolder('users'), 'users.json');
});

function write(users: readonly object[]): void {
  writeFileSync(`${usersFile}.new`, JSON.stringify({ users }));
  renameSync(`${usersFile}.new`, usersFile);
}

/** Leaves a session of the lamp behind, subscribed to everything. */
async function leaveSession(broker: EmbeddedBroker): Promise<void> {
  const client = await connect(broker, { ...session, username: 'lamp' });
  await client.subscribeAsync('#', { qos: 1 });
  await client.endAsync();
  await until(() => broker.clients === 0);
}

/** The topics that come to the session's client until that of `last` does. */
async function topicsUntil(broker: EmbeddedBroker, last: string): Promise<string[]> {
  const topics: string[] = [];
  const client = mqtt.connect(`mqtt://127.0.0.1:${broker.port}`, { ...session, username: 'lamp' });
  closeAfterTest(async () => client.end(true));
  client.on('message', (topic) => topics.push(topic));
  await until(() => topics.includes(last));
  return topics;
}

async function codeOf(broker: EmbeddedBroker, options: IClientOptions): Promise<unknown> {
  const client = await connect(broker, options).catch((error: { code: unknown }) => error);
  if ('code' in client) return client.code;
  await client.endAsync();
  return 'connected';
}

test('a session whose client is away keeps nothing that its user may have no more', async () => {
  write([{ ...lamp, subscribe: ['#', 'open/#'] }]);
  const broker = await start({ usersFile, watchIntervalMs: 20 });
  const client = await connect(broker, { ...session, username: 'lamp' });
  await client.subscribeAsync(['secret/#', 'open/#'], { qos: 1 });
  await client.endAsync();
  // The other user shows when the file has been read.
  write([{ ...lamp, subscribe: ['open/#'] }, fan]);
  const isFan = () => codeOf(broker, { username: 'fan', password: 'light' });
  await until(async () => (await isFan()) === 'connected');
  await broker.publish({ topic: 'secret/a', payload: 'x', qos: 1 });
  await broker.publish({ topic: 'open/a', payload: 'x', qos: 1 });
  expect(await topicsUntil(broker, 'open/a')).toEqual(['open/a']);
});

test('nor does it when the file has changed while the broker was away', async () => {
  write([lamp]);
  const folder = temporaryFolder('changed-users');
  const before = await start({ folder, usersFile });
  const client = await connect(before, { ...session, username: 'lamp' });
  await client.subscribeAsync(['secret/#', 'open/#'], { qos: 1 });
  await client.endAsync();
  await before.close();
  write([{ ...lamp, subscribe: ['open/#'] }]);
  const broker = await start({ folder, usersFile });
  await broker.publish({ topic: 'secret/a', payload: 'x', qos: 1 });
  await broker.publish({ topic: 'open/a', payload: 'x', qos: 1 });
  expect(await topicsUntil(broker, 'open/a')).toEqual(['open/a']);
});

test('who has gone from the file holds no client id: another gets it, and nothing of the session', async () => {
  write([lamp, fan]);
  const broker = await start({ usersFile, watchIntervalMs: 20 });
  await leaveSession(broker);
  await broker.publish({ topic: 'a', payload: 'for the lamp', qos: 1 });
  const asFan = { ...session, username: 'fan' };
  expect(await codeOf(broker, asFan)).toBe(2);
  write([fan]);
  await until(async () => (await codeOf(broker, { ...asFan, clean: true })) === 'connected');
  expect(broker.gauges()).toMatchObject({ sessions: 0, queuedMessages: 0 });
  expect(await codeOf(broker, asFan)).toBe('connected');
  expect(broker.gauges()).toMatchObject({ sessions: 1, queuedMessages: 0 });
});

test('a user who goes, or gets another password, while the old one is being checked is refused', async () => {
  const passwords = new Passwords({ ...limitsSchema.parse({}), maxPasswordChecks: 10 });
  closeAfterTest(() => passwords.close());
  const request = {
    clientId: 'one',
    username: 'lamp',
    password: Buffer.from('light'),
    address: '127.0.0.1',
    tls: false,
    certificateName: undefined,
    signal: new AbortController().signal,
  };
  const parse = (users: readonly object[]) => usersSchema.parse({ users });
  for (const after of [[], [{ ...lamp, hash: hashSync('new', 4) }]]) {
    let users: Users = parse([lamp]);
    const decision = usersValidator(() => users, 'never', passwords, createCounters())(request);
    users = parse(after);
    expect(await decision).toEqual({ accepted: false, refusal: 'bad-user-or-password' });
  }
  // With rights that changed meanwhile, the new ones hold.
  let users = parse([lamp]);
  const decision = usersValidator(() => users, 'never', passwords, createCounters())(request);
  users = parse([{ ...lamp, subscribe: ['open/#'] }]);
  const decided = await decision;
  if (!decided.accepted) throw new Error(decided.refusal);
  expect(decided.rights.maySubscribe('#')).toBe(false);
});
