// Floods of wrong passwords at the embedded broker, and honest users who log in for the first time meanwhile.
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { hashSync } from 'bcryptjs';
import { expect } from 'vitest';
import type { EmbeddedBroker } from '../../infra/broker/broker.ts';
import { bytes } from '../infra/broker/raw-client.ts';
import { closeAfterTest, start } from '../infra/broker/started.ts';
import { temporaryFolder } from '../support/brokers.ts';
import { until } from '../support/wait.ts';
import { attack, slowdown, slowdownText } from './attack.ts';

const calls = 10;
/** An honest login waits for the one check that is under way, of 50 ms and more; in the flood it would wait for 400. */
const maxRatio = 50;
const honestUsers = Array.from({ length: 2 * calls + 1 }, (_, index) => `honest-${index}`);

async function startWithUsers(): Promise<EmbeddedBroker> {
  const usersFile = join(temporaryFolder('users'), 'users.json');
  const users = [
    ...honestUsers.map((name) => ({ name, hash: hashSync('light', 4) })),
    { name: 'lamp', hash: hashSync('light', 10) },
  ];
  writeFileSync(usersFile, JSON.stringify({ users }));
  return start({ usersFile, anonymous: 'never' });
}

/** The return code of a login from an address of this machine; undefined where the connection ends without one. */
async function login(
  { port }: EmbeddedBroker,
  localAddress: string,
  [username, password]: readonly [string, string],
): Promise<number | undefined> {
  const socket: Socket = connect({ port, host: '127.0.0.1', localAddress });
  socket.on('error', () => {});
  closeAfterTest(() => socket.destroy());
  socket.write(
    bytes({
      cmd: 'connect',
      clientId: `${username}-${Math.random()}`,
      clean: true,
      keepalive: 0,
      username,
      password: Buffer.from(password),
    }),
  );
  const answer = await Promise.race([once(socket, 'data'), once(socket, 'close')]);
  socket.destroy();
  return Buffer.isBuffer(answer[0]) ? answer[0][3] : undefined;
}

/** 400 connections that try one password after the other, until the test ends; resolves when the broker feels it. */
async function flood(broker: EmbeddedBroker, nameOf: (attempt: number) => string): Promise<void> {
  let attempts = 0;
  let stopped = false;
  closeAfterTest(() => {
    stopped = true;
  });
  const attacker = async () => {
    while (!stopped) {
      attempts++;
      await login(broker, '127.0.0.1', [nameOf(attempts), `wrong ${attempts}`]);
      await delay(2000);
    }
  };
  for (let connection = 0; connection < 400; connection++) void attacker();
  await until(() => attempts >= 400 && broker.counters.refusedPassword > 0);
}

/** Logs one honest user after the other in, each for the first time. */
function honestLogin(broker: EmbeddedBroker, localAddress: string): () => Promise<void> {
  const left = [...honestUsers];
  return async () => {
    expect(await login(broker, localAddress, [left.pop() ?? '', 'light'])).toBe(0);
  };
}

attack('400 connections try passwords of a user; others log in from another address', async () => {
  const broker = await startWithUsers();
  const honest = honestLogin(broker, '127.0.0.2');
  const measured = await slowdown(honest, () => flood(broker, () => 'lamp'), calls);
  expect(measured.ratio).toBeLessThan(maxRatio);
  return slowdownText(measured);
});

attack(
  '400 connections try names that do not exist; others log in from another address',
  async () => {
    const broker = await startWithUsers();
    const honest = honestLogin(broker, '127.0.0.2');
    const measured = await slowdown(
      honest,
      () => flood(broker, (attempt) => `nobody-${attempt}`),
      calls,
    );
    expect(measured.ratio).toBeLessThan(maxRatio);
    return slowdownText(measured);
  },
);

attack('400 connections try passwords of a user; others log in from the same address', async () => {
  const broker = await startWithUsers();
  const honest = honestLogin(broker, '127.0.0.1');
  const measured = await slowdown(honest, () => flood(broker, () => 'lamp'), calls);
  expect(measured.ratio).toBeLessThan(maxRatio);
  return slowdownText(measured);
});
