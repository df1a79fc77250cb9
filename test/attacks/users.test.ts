// Users of the embedded broker who want to be somebody else.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hashSync } from 'bcryptjs';
import { expect } from 'vitest';
import { newOwnUser } from '../../infra/broker/access/own-user.ts';
import { connect, start } from '../infra/broker/started.ts';
import { temporaryFolder } from '../support/brokers.ts';
import { attack } from './attack.ts';

const hash = hashSync('light', 4);

function usersFileOf(document: object): string {
  const file = join(temporaryFolder('users'), 'users.json');
  writeFileSync(file, JSON.stringify(document));
  return file;
}

attack('a user with subscribe "c/%c/#" connects with the client id of another device', async () => {
  const lamp = { name: 'lamp', hash, publish: [], subscribe: ['c/%c/#'] };
  await expect(start({ usersFile: usersFileOf({ users: [lamp] }) })).rejects.toThrow(
    /users\.0\.subscribe\.0: %c needs clientIds/,
  );
  const anonymous = { publish: ['state/%c'], subscribe: [] };
  await expect(start({ usersFile: usersFileOf({ users: [], anonymous }) })).rejects.toThrow(
    /anonymous\.publish\.0: %c is not for anonymous/,
  );
  const usersFile = usersFileOf({ users: [{ ...lamp, clientIds: ['lamp-*'] }] });
  const broker = await start({ usersFile, anonymous: 'never' });
  const login = { username: 'lamp', password: 'light' };
  await expect(connect(broker, { ...login, clientId: 'pump' })).rejects.toMatchObject({ code: 2 });
  const own = await connect(broker, { ...login, clientId: 'lamp-1' });
  await expect(own.subscribeAsync('c/pump/#')).rejects.toThrow();
  return 'a users file with %c and no clientIds is refused; with them, CONNACK 2';
});

attack(
  'a client without a name takes the client id of the bridge before its first start',
  async () => {
    const ownUser = newOwnUser();
    const broker = await start({ ownUser });
    const stolen = { clientId: 'causeway-store-0', clean: false };
    await expect(connect(broker, stolen)).rejects.toMatchObject({ code: 2 });
    const { name: username, password } = ownUser;
    const bridge = await connect(broker, { ...stolen, username, password });
    await expect(connect(broker, stolen)).rejects.toMatchObject({ code: 2 });
    expect(bridge.connected).toBe(true);
    return 'CONNACK 2 for all client ids with causeway-';
  },
);
