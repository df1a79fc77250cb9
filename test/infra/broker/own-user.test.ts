// The user of this process's own clients, and whose a session is once there are users.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hashSync } from 'bcryptjs';
import mqtt, { type IClientOptions } from 'mqtt';
import { expect, test } from 'vitest';
import { newOwnUser } from '../../../infra/broker/access/own-user.ts';
import type { EmbeddedBroker } from '../../../infra/broker/broker.ts';
import { temporaryFolder } from '../../support/brokers.ts';
import { until } from '../../support/wait.ts';
import { connect, start } from './started.ts';

async function refusal(broker: EmbeddedBroker, options: IClientOptions): Promise<unknown> {
  const client = await connect(broker, options).catch((error: { code: unknown }) => error);
  return 'code' in client ? client.code : 'connected';
}

/** A file of users with the password `light` and these rights to subscribe. */
function usersFileOf(users: Record<string, string[]>): string {
  const file = join(temporaryFolder('users'), 'users.json');
  const hash = hashSync('light', 4);
  const list = Object.entries(users).map(([name, subscribe]) => ({ name, hash, subscribe }));
  writeFileSync(file, JSON.stringify({ users: list }));
  return file;
}

test('it gets in beside a users file that does not know it, with its password alone', async () => {
  const ownUser = newOwnUser();
  const { name: username, password } = ownUser;
  const usersFile = usersFileOf({ lamp: ['#'] });
  const broker = await start({ usersFile, anonymous: 'never', ownUser });
  const client = await connect(broker, { username, password });
  const heard: string[] = [];
  client.on('message', (topic) => heard.push(topic));
  await client.subscribeAsync(['#', '$events/#'], { qos: 1 });
  expect(await refusal(broker, { username: 'lamp', password: 'light' })).toBe('connected');
  await until(() => heard.includes('$events/client/connected'));

  for (const wrong of ['', 'light', newOwnUser().password])
    expect(await refusal(broker, { username, password: wrong })).toBe(4);
  expect(await refusal(broker, { username })).toBe(4);
  expect(await refusal(broker, {})).toBe(5);
  expect(broker.counters.refusedPassword).toBe(4);
});

test('it gets in whatever the validator says, which is not asked', async () => {
  const ownUser = newOwnUser();
  const asked: unknown[] = [];
  const broker = await start({
    ownUser,
    validator({ username }) {
      asked.push(username);
      return { accepted: false, refusal: 'not-authorized' };
    },
  });
  const { name: username, password } = ownUser;
  expect(await refusal(broker, { username, password })).toBe('connected');
  expect(await refusal(broker, { username: 'lamp', password })).toBe(5);
  expect(asked).toEqual(['lamp']);
});

test('nobody else gets in with one of its client ids, from the first moment on', async () => {
  const ownUser = newOwnUser();
  const usersFile = usersFileOf({ lamp: ['#'] });
  for (const options of [{ ownUser }, { ownUser, usersFile }]) {
    const broker = await start(options);
    const login = 'usersFile' in options ? { username: 'lamp', password: 'light' } : {};
    for (const clean of [true, false])
      expect(await refusal(broker, { ...login, clientId: 'causeway-store-0', clean })).toBe(2);
    expect(await refusal(broker, { ...login, clientId: 'causeway' })).toBe('connected');
    const { name: username, password } = ownUser;
    const own = { username, password, clientId: 'causeway-store-0', clean: false };
    expect(await refusal(broker, own)).toBe('connected');
  }
});

test('nobody else can have its name', async () => {
  const usersFile = usersFileOf({ [newOwnUser().name]: ['#'] });
  await expect(start({ usersFile })).rejects.toThrow('users.0.name: must not start with $');
});

test('a session from before there were users goes, with its backlog, to the first who may read it all', async () => {
  const folder = temporaryFolder('own-user');
  const before = await start({ folder });
  const session = { clientId: 'one', clean: false } as const;
  const nobody = await connect(before, session);
  await nobody.subscribeAsync(['open/#', 'secret/#'], { qos: 1 });
  await nobody.endAsync();
  await before.publish({ topic: 'secret/a', payload: 'waits', qos: 1 });
  await before.close();

  const usersFile = usersFileOf({ lamp: ['open/#'], fan: ['#'] });
  const broker = await start({ folder, usersFile });
  const as = (username: string) => ({ ...session, username, password: 'light' });
  expect(await refusal(broker, as('lamp'))).toBe(2);
  const heard: string[] = [];
  const fan = mqtt.connect(`mqtt://127.0.0.1:${broker.port}`, as('fan'));
  fan.on('message', (_, payload) => heard.push(String(payload)));
  await until(() => heard.length === 1);
  expect(heard).toEqual(['waits']);
  await fan.endAsync();
  await until(() => broker.clients === 0);
  // From now on it is the user's: nobody else's, not even of who has no name.
  expect(await refusal(broker, session)).toBe(2);
  expect(await refusal(broker, as('fan'))).toBe('connected');
});
