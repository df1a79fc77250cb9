// Who may connect, publish and subscribe: CONNACK codes, the users file, topic rights.

import { once } from 'node:events';
import { renameSync, writeFileSync } from 'node:fs';
import { connect as connectSocket } from 'node:net';
import { join } from 'node:path';
import { hashSync } from 'bcryptjs';
import mqtt, { type IClientOptions } from 'mqtt';
import { beforeEach, expect, test } from 'vitest';
import type { ConnectRequest } from '../../../infra/broker/access/access.ts';
import type { Users } from '../../../infra/broker/access/users.ts';
import type { EmbeddedBroker } from '../../../infra/broker/broker.ts';
import { temporaryFolder } from '../../support/brokers.ts';
import { until } from '../../support/wait.ts';
import { closeAfterTest, connect, start } from './started.ts';

let usersFile: string;
beforeEach(() => {
  usersFile = join(temporaryFolder('users'), 'users.json');
});

/** The CONNACK return code of a refusal. */
async function refusal(broker: EmbeddedBroker, options: IClientOptions): Promise<unknown> {
  const client = await connect(broker, options).catch((error: { code: unknown }) => error);
  return 'code' in client ? client.code : 'connected';
}

const lamp = { name: 'lamp', hash: hashSync('light', 4), publish: ['#'], subscribe: ['#'] };

/** Writes the users file as editors do: another file in its place. */
function write(document: Partial<Users> | string): void {
  const text = typeof document === 'string' ? document : JSON.stringify(document);
  writeFileSync(`${usersFile}.new`, text);
  renameSync(`${usersFile}.new`, usersFile);
}

test.each([
  ['client-id-refused', 2],
  ['server-unavailable', 3],
  ['bad-user-or-password', 4],
  ['not-authorized', 5],
] as const)('a validator that answers %s gives CONNACK %i', async (answer, code) => {
  const requests: ConnectRequest[] = [];
  const broker = await start({
    validator(request) {
      requests.push(request);
      return { accepted: false, refusal: answer };
    },
  });
  const options = { clientId: 'one', username: 'lamp', password: 'dark' };
  expect(await refusal(broker, options)).toBe(code);
  expect(requests).toEqual([
    {
      clientId: 'one',
      username: 'lamp',
      password: Buffer.from('dark'),
      address: '127.0.0.1',
      tls: false,
      certificateName: undefined,
      signal: expect.any(AbortSignal),
    },
  ]);
  const { refusedClientId, refusedUnavailable, refusedPassword, refusedNotAuthorized } =
    broker.counters;
  const counted = [refusedClientId, refusedUnavailable, refusedPassword, refusedNotAuthorized];
  expect(counted).toEqual([2, 3, 4, 5].map((each) => (each === code ? 1 : 0)));
  expect(broker.clients).toBe(0);
});

test('a validator that throws lets nobody in', async () => {
  const broker = await start({
    validator: () => Promise.reject(new Error('the directory is away')),
  });
  expect(await refusal(broker, {})).toBe(3);
});

test('users of the file get in with their password only', async () => {
  write({ users: [{ ...lamp, clientIds: ['lamp-*', 'spare'] }] });
  const broker = await start({ usersFile, anonymous: 'never' });
  const right = { username: 'lamp', password: 'light' };
  expect(await refusal(broker, { ...right, clientId: 'lamp-1' })).toBe('connected');
  expect(await refusal(broker, { ...right, clientId: 'spare' })).toBe('connected');
  expect(await refusal(broker, { ...right, clientId: 'spare-2' })).toBe(2);
  expect(await refusal(broker, { ...right, password: 'lighT' })).toBe(4);
  expect(await refusal(broker, { username: 'lamp' })).toBe(4);
  expect(await refusal(broker, { username: 'nobody', password: 'light' })).toBe(4);
  expect(await refusal(broker, { ...right, password: 'light'.padEnd(73) })).toBe(4);
  expect(await refusal(broker, {})).toBe(5);
});

test('a client id without which there is no session, or that is too long, is refused', async () => {
  const broker = await start({ limits: { maxClientIdBytes: 30 } });
  // CONNECT with neither client id nor clean session, as no library sends it; CONNACK.
  const socket = connectSocket(broker.port, '127.0.0.1');
  socket.write(Buffer.from('100c00044d5154540400003c0000', 'hex'));
  const [connack] = await once(socket, 'data');
  expect(connack.toString('hex')).toBe('20020002');
  socket.destroy();
  expect(await refusal(broker, { clientId: 'é'.repeat(16) })).toBe(2);
  expect(await refusal(broker, { clientId: 'é'.repeat(15) })).toBe('connected');
});

test("another user cannot take a client's id, nor its session", async () => {
  write({ users: [lamp, { ...lamp, name: 'thief' }] });
  const broker = await start({ usersFile });
  const session = { clientId: 'one', clean: false, password: 'light' };
  const client = await connect(broker, { ...session, username: 'lamp' });
  expect(await refusal(broker, { ...session, username: 'thief' })).toBe(2);
  expect(await refusal(broker, { ...session, username: 'thief', clean: true })).toBe(2);
  expect(client.connected).toBe(true);
  await client.endAsync();
  await until(() => broker.clients === 0);
  expect(await refusal(broker, { ...session, username: 'thief' })).toBe(2);
  expect(await refusal(broker, { ...session, username: 'lamp' })).toBe('connected');
});

test('rights: what a user may not subscribe to is 0x80, what it may not publish closes', async () => {
  write({
    users: [
      {
        ...lamp,
        publish: ['rooms/%u/#', 'all'],
        subscribe: ['rooms/%c/+', 'all'],
        clientIds: ['l1'],
      },
    ],
  });
  const broker = await start({ usersFile });
  const options = { username: 'lamp', password: 'light', clientId: 'l1' };
  const client = await connect(broker, options);
  const refused = ['rooms/#', '#', 'rooms/l2/x', '$events/#', '$SYS/#', '$share/g/rooms/#'];
  for (const filter of refused)
    await expect(client.subscribeAsync(filter)).rejects.toThrow('Unspecified error');
  const granted = await client.subscribeAsync(['rooms/l1/+', 'all', '$share/g/all'], { qos: 2 });
  expect(granted.map(({ qos }) => qos)).toEqual([2, 2, 2]);
  await client.unsubscribeAsync('$share/g/all');
  expect(broker.counters.subscriptionsRefused).toBe(refused.length);

  const received: string[] = [];
  client.on('message', (topic) => received.push(topic));
  await client.publishAsync('rooms/lamp/state', 'on', { qos: 1 });
  await client.publishAsync('all', 'on', { qos: 1 });
  await until(() => received.length === 1);
  let closed = false;
  client.on('close', () => {
    closed = true;
  });
  client.publish('rooms/other/state', 'on', { qos: 1 });
  await until(() => closed);
  expect(broker.counters.publishesNotAuthorized).toBe(1);
  const will = {
    topic: 'rooms/other/will',
    payload: Buffer.from('x'),
    qos: 0,
    retain: false,
  } as const;
  expect(await refusal(broker, { ...options, will })).toBe(5);
});

test('nobody publishes events but the broker', async () => {
  const broker = await start();
  const watcher = await connect(broker);
  await watcher.subscribeAsync('$events/#');
  const liar = await connect(broker);
  let closed = false;
  liar.on('close', () => {
    closed = true;
  });
  liar.publish('$events/client/connected', '{}');
  await until(() => closed);
  expect(broker.counters.publishesNotAuthorized).toBe(1);
});

test('the users file is read again when it changes; a broken one changes nothing', async () => {
  write({ users: [lamp, { ...lamp, name: 'fan' }] });
  const broker = await start({ usersFile, watchIntervalMs: 20, anonymous: 'never' });
  const client = await connect(broker, { username: 'lamp', password: 'light', reconnectPeriod: 0 });
  const fan = await connect(broker, { username: 'fan', password: 'light', reconnectPeriod: 0 });
  write('{ "users": [');
  write({ users: [{ ...lamp, hash: '$2b$31$short' }] });
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(await refusal(broker, { username: 'lamp', password: 'light' })).toBe('connected');

  write({
    users: [
      { ...lamp, hash: hashSync('new', 4) },
      { ...lamp, name: 'fan' },
    ],
  });
  await until(() => !client.connected);
  expect(await refusal(broker, { username: 'lamp', password: 'light' })).toBe(4);
  expect(await refusal(broker, { username: 'lamp', password: 'new' })).toBe('connected');
  expect(fan.connected).toBe(true);
});

test('a session loses the subscriptions that its user may have no more', async () => {
  write({ users: [lamp] });
  const broker = await start({ usersFile, watchIntervalMs: 20 });
  const session = { username: 'lamp', password: 'light', clientId: 'one', clean: false };
  const client = await connect(broker, session);
  await client.subscribeAsync(['secret/#', 'open/#'], { qos: 1 });
  write({ users: [{ ...lamp, subscribe: ['open/#'] }] });
  await until(() => !client.connected);
  const received: string[] = [];
  const again = mqtt.connect(`mqtt://127.0.0.1:${broker.port}`, session);
  closeAfterTest(async () => again.end(true));
  again.on('message', (topic) => received.push(topic));
  await until(() => again.connected);
  await broker.publish({ topic: 'secret/a', payload: 'x', qos: 1 });
  await broker.publish({ topic: 'open/a', payload: 'x', qos: 1 });
  await until(() => received.length === 1);
  expect(received).toEqual(['open/a']);
});

test('a flood of wrong passwords does not stop the broker, and known clients get in meanwhile', async () => {
  write({ users: [{ ...lamp, hash: hashSync('light', 10) }] });
  const broker = await start({
    usersFile,
    limits: {
      maxPasswordChecks: 20,
      connectTimeoutMs: 60_000,
      maxLoginFailuresPerUser: 1000,
      maxLoginFailuresPerAddress: 1000,
    },
  });
  const right = { username: 'lamp', password: 'light' };
  const client = await connect(broker, right);
  const flood = Array.from({ length: 60 }, (_, index) =>
    refusal(broker, { username: 'lamp', password: `wrong ${index}`, connectTimeout: 60_000 }),
  );
  await until(() => broker.counters.refusedUnavailable > 0);
  expect(await refusal(broker, right)).toBe('connected');
  await client.subscribeAsync('alive');
  await client.publishAsync('alive', 'yes', { qos: 1 });
  const codes = await Promise.all(flood);
  const count = (wanted: number) => codes.filter((code) => code === wanted).length;
  expect(count(3) + count(4)).toBe(60);
  // As many as wait at a time are checked, and the few that come when one of them is done.
  expect(count(4)).toBeGreaterThanOrEqual(20);
  expect(count(3)).toBeGreaterThan(20);
});

test('a validator that does not answer: CONNACK 3 in time, and it is told when the client has gone', async () => {
  const signals: AbortSignal[] = [];
  const broker = await start({
    limits: { connectTimeoutMs: 300 },
    validator({ signal }) {
      signals.push(signal);
      return new Promise(() => {});
    },
  });
  expect(await refusal(broker, {})).toBe(3);
  const socket = connectSocket(broker.port, '127.0.0.1');
  socket.write(Buffer.from('100d00044d51545404020000000161', 'hex'));
  await until(() => signals.length === 2);
  socket.destroy();
  await until(() => signals[1]?.aborted);
  expect(broker.clients).toBe(0);
});

test('a users file that cannot be used stops the start, and names its faults', async () => {
  write({ users: [lamp, { ...lamp, publish: ['a/#/b'] }] });
  await expect(start({ usersFile })).rejects.toThrow(
    `${usersFile}: users.1.publish.0: # must be the last level and stand alone [MQTT-4.7.1-1]; ` +
      'users: must not have a name twice',
  );
});
