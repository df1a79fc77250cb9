// The local stack with a broker for a house, and with the broker of the config: who gets in, and what is shown of it.
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hashSync } from 'bcryptjs';
import mqtt from 'mqtt';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { startBroker } from '../../../infra/broker/broker.ts';
import { type DeploymentInput, parseDeployment } from '../../../infra/config/config.ts';
import { parseSettings } from '../../../infra/local/settings.ts';
import { type LocalStack, startStack } from '../../../infra/local/stack.ts';
import { temporaryFolder } from '../../support/brokers.ts';
import { until } from '../../support/wait.ts';
import { certificatesIn } from '../broker/certificates.ts';

const token = 'a-token-of-our-own';
const lamp = { name: 'lamp', hash: hashSync('light', 4), subscribe: ['#'] };

function file(name: string, document: unknown): string {
  const path = join(temporaryFolder('chosen'), name);
  writeFileSync(path, JSON.stringify(document));
  chmodSync(path, 0o600);
  return path;
}

async function stackWith(
  environment: Record<string, string>,
  broker: DeploymentInput['broker'] = { url: 'mqtts://broker.example.com' },
): Promise<LocalStack> {
  const settings = parseSettings({
    PORT: '0',
    MQTT_PORT: '0',
    DATA_DIR: temporaryFolder('chosen'),
    API_TOKEN: token,
    ...environment,
  });
  const config = parseDeployment({ broker, routes: [{ name: 'store', filter: '#' }] });
  if (!settings.ok || !config.ok) throw new Error(JSON.stringify({ settings, config }));
  const stack = await startStack(settings.value, config.value, pino({ level: 'silent' }));
  onTestFinished(() => stack.stop());
  return stack;
}

const stored = (stack: LocalStack, topic: string) =>
  until(async () => {
    const response = await fetch(`${stack.apiUrl}/v1/messages?topic=${topic}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    const { messages } = (await response.json()) as { messages: { payload: unknown }[] };
    return messages[0]?.payload;
  });

test('for a house: users, WebSocket and no anonymous client; the bridge has its own login, and numbers', async () => {
  const usersFile = file('users.json', { users: [lamp] });
  const DATA_DIR = temporaryFolder('house');
  // The sessions of a bridge from before there were users.
  const before = await startBroker({ port: 0, folder: join(DATA_DIR, 'broker') });
  const anonymous = await mqtt.connectAsync(`mqtt://127.0.0.1:${before.port}`, {
    clientId: 'causeway-store-0',
    clean: false,
  });
  await anonymous.subscribeAsync('#', { qos: 1 });
  await anonymous.endAsync();
  await before.publish({ topic: 'rooms/before', payload: 'waiting', qos: 1 });
  await before.close();

  const stack = await stackWith({
    DATA_DIR,
    BROKER_USERS_FILE: usersFile,
    BROKER_ANONYMOUS: 'never',
    BROKER_WEBSOCKET_PORT: '0',
  });
  expect(await stored(stack, 'rooms/before')).toBe('waiting');
  const [tcp = '', ws = ''] = stack.brokerUrls;
  expect(tcp).toBe(stack.brokerUrl);
  expect(ws).toMatch(/^ws:.*\/mqtt$/);
  const connect = (url: string, username?: string, password?: string) =>
    mqtt.connectAsync(url, {
      reconnectPeriod: 0,
      ...(username !== undefined && { username }),
      ...(password !== undefined && { password }),
    });
  await expect(connect(tcp)).rejects.toMatchObject({ code: 5 });
  await expect(connect(tcp, '$causeway', 'light')).rejects.toMatchObject({ code: 4 });
  const device = await connect(ws, 'lamp', 'light');
  onTestFinished(() => void device.end(true));
  await device.publishAsync('rooms/kitchen', 'dark', { qos: 1 });
  expect(await stored(stack, 'rooms/kitchen')).toBe('dark');

  const metrics = await (await fetch(`${stack.apiUrl}/metrics`)).text();
  expect(metrics).toMatch(/^causeway_broker_refused_not_authorized_total 1$/m);
  expect(metrics).toMatch(/^causeway_received_messages_total\{route="store"\} \d/m);
});

test('USE_CONFIG_BROKER: its TLS and login, with secrets from a file, and client ids of its own', async () => {
  const { pem, make } = certificatesIn(temporaryFolder('certificates'));
  make('authority');
  make('server', 'authority');
  const clientIds: string[] = [];
  const broker = await startBroker({
    port: null,
    folder: temporaryFolder('config-broker'),
    tls: { port: 0, certFile: pem('server'), keyFile: pem('server-key') },
    usersFile: file('users.json', { users: [lamp] }),
    anonymous: 'never',
    on: { connected: ({ clientId }) => clientIds.push(clientId) },
  });
  onTestFinished(() => broker.close());
  const configured = {
    url: `mqtts://127.0.0.1:${broker.port}`,
    credentialsSecret: 'causeway/broker',
    caSecret: 'causeway/ca',
  };
  const secrets = {
    'causeway/broker': { username: 'lamp', password: 'light' },
    'causeway/ca': readFileSync(pem('authority'), 'utf8'),
  };
  const SECRETS_FILE = file('secrets.json', secrets);
  const stack = await stackWith({ USE_CONFIG_BROKER: 'true', SECRETS_FILE }, configured);
  await broker.publish({ topic: 'rooms/kitchen', payload: 'dark', qos: 1 });
  expect(await stored(stack, 'rooms/kitchen')).toBe('dark');
  expect(clientIds).toContainEqual(expect.stringMatching(/^causeway-local-[0-9a-f]{8}-store-0$/));
  expect(clientIds.every((id) => id.startsWith('causeway-local-'))).toBe(true);

  const start = (environment: Record<string, string>) =>
    stackWith({ USE_CONFIG_BROKER: 'true', ...environment }, configured);
  await expect(start({})).rejects.toThrow(
    'SECRETS_FILE: is needed: causeway.config.ts names causeway/broker, causeway/ca',
  );
  const { 'causeway/ca': _, ...incomplete } = secrets;
  await expect(start({ SECRETS_FILE: file('secrets.json', incomplete) })).rejects.toThrow(
    /^SECRETS_FILE: .*secrets.json: lacks what causeway.config.ts names: causeway\/ca$/,
  );
});

test.each([
  [{ BROKER_USERS_FILE: '/nowhere.json' }, /^BROKER_USERS_FILE: .*ENOENT/],
  [
    { BROKER_TLS_CERT_FILE: '/nowhere.pem', BROKER_TLS_KEY_FILE: '/nowhere.pem' },
    /^BROKER_TLS_CERT_FILE: ENOENT/,
  ],
  [{ BROKER_HOST: '192.0.2.1' }, /^BROKER_HOST: 192.0.2.1 is no address of this machine/],
  [
    { BROKER_WEBSOCKET_HOST: '192.0.2.1' },
    /^BROKER_WEBSOCKET_HOST: 192.0.2.1 is no address of this machine/,
  ],
  [{ SECRETS_FILE: '/nowhere.json' }, /^SECRETS_FILE: .*ENOENT/],
])('%j is one line that names the setting', async (environment, line) => {
  await expect(stackWith({ ...(environment as Record<string, string>) })).rejects.toThrow(line);
});

test('a port of TLS or WebSocket that is taken is named as such', async () => {
  const taken = await startBroker({ port: 0, folder: temporaryFolder('taken') });
  onTestFinished(() => taken.close());
  await expect(stackWith({ BROKER_WEBSOCKET_PORT: String(taken.port) })).rejects.toThrow(
    `BROKER_WEBSOCKET_PORT: port ${taken.port} is taken; choose another`,
  );
});

test('BROKER_URL: client ids of this machine, the same after a restart, and none of a deployed bridge', async () => {
  const clientIds: string[] = [];
  const broker = await startBroker({
    port: 0,
    folder: temporaryFolder('broker'),
    on: { connected: ({ clientId }) => clientIds.push(clientId) },
  });
  onTestFinished(() => broker.close());
  const idsOf = async (DATA_DIR: string, configured: object = {}) => {
    clientIds.length = 0;
    const stack = await stackWith(
      { BROKER_URL: `mqtt://127.0.0.1:${broker.port}`, DATA_DIR },
      { url: 'mqtts://broker.example', ...configured },
    );
    await stack.stop();
    return clientIds.filter((id) => id.endsWith('-store-0'));
  };
  const [here, there] = [temporaryFolder('here'), temporaryFolder('there')];
  const first = await idsOf(here);
  expect(first).toEqual([expect.stringMatching(/^causeway-local-[0-9a-f]{8}-store-0$/)]);
  expect(await idsOf(here)).toEqual(first);
  expect(await idsOf(there)).not.toEqual(first);
  const long = { clientIdPrefix: 'x'.repeat(40) };
  expect(await idsOf(here, long)).toEqual([
    expect.stringMatching(/^x{25}-local-[0-9a-f]{8}-store-0$/),
  ]);
  writeFileSync(join(here, 'machine-id'), 'somewhere');
  await expect(idsOf(here)).rejects.toThrow('DATA_DIR: ');
});
