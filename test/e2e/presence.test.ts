// Who is online, end to end: real brokers, the real stack, clients that connect, end, break and take over.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type CausewayConfigInput, parseCausewayConfig } from '../../infra/config/config.ts';
import { parseSettings } from '../../infra/local/settings.ts';
import { type LocalStack, startStack } from '../../infra/local/stack.ts';
import {
  hasMosquitto,
  needsMosquitto,
  startMosquitto,
  temporaryFolder,
} from '../support/brokers.ts';
import { freePort } from '../support/ports.ts';
import { programFile } from '../support/started-once.ts';
import { until } from '../support/wait.ts';

const token = 'token-of-the-presence-suite';

interface Place {
  readonly environment: Record<string, string>;
  readonly presence?: CausewayConfigInput['presence'];
}

async function start({ environment, presence }: Place): Promise<LocalStack> {
  const settings = parseSettings({ API_TOKEN: token, ...environment });
  const config = parseCausewayConfig({
    broker: { url: 'mqtts://broker.example.com' },
    routes: [{ name: 'store', filter: '#' }],
    presence,
  });
  if (!settings.ok || !config.ok) throw new Error(JSON.stringify({ settings, config }));
  return startStack(settings.value, config.value, pino({ level: 'silent' }));
}

async function get(apiUrl: string, path: string) {
  const response = await fetch(`${apiUrl}${path}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  expect(response.status).toBe(200);
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at what it expects
  return (await response.json()) as any;
}

/** What is told of a client, once it is as expected. */
async function told(apiUrl: string, clientId: string, expected: Record<string, unknown>) {
  return until(
    async () => {
      const { clients } = await get(apiUrl, `/v1/presence?filter=${clientId}`);
      const [client] = clients;
      const entries = Object.entries(expected);
      return entries.every(([name, value]) => client?.[name] === value) ? client : undefined;
    },
    { what: `${clientId} is ${JSON.stringify(expected)}` },
  );
}

async function connect(url: string, options: IClientOptions): Promise<MqttClient> {
  const client = await mqtt.connectAsync(url, { reconnectPeriod: 0, ...options });
  client.on('error', () => {});
  onTestFinished(() => void client.end(true));
  return client;
}

const eventsOf = async (apiUrl: string, clientId: string) => {
  const { events } = await get(apiUrl, `/v1/presence/events?clientId=${clientId}`);
  return events.map(({ event }: { event: string }) => event).reverse();
};

describe('the embedded broker of npm start', () => {
  let stack: LocalStack;
  beforeAll(async () => {
    const environment = {
      PORT: String(await freePort()),
      MQTT_PORT: String(await freePort()),
      DATA_DIR: temporaryFolder('presence'),
    };
    stack = await start({ environment });
  });
  afterAll(() => stack?.stop());

  test('a client that connects, ends, and comes back', async () => {
    const client = await connect(stack.brokerUrl, { clientId: 'lamp' });
    const first = await told(stack.apiUrl, 'lamp', { status: 'online' });
    await client.endAsync();
    await told(stack.apiUrl, 'lamp', { status: 'offline', reason: 'clean' });
    await connect(stack.brokerUrl, { clientId: 'lamp' });
    const { since } = await told(stack.apiUrl, 'lamp', { status: 'online' });
    expect(since > first.since).toBe(true);
    await until(async () => (await eventsOf(stack.apiUrl, 'lamp')).length === 3);
    expect(await eventsOf(stack.apiUrl, 'lamp')).toEqual([
      'connected',
      'disconnected',
      'connected',
    ]);
  });

  test('a client whose connection breaks', async () => {
    const client = await connect(stack.brokerUrl, { clientId: 'broken' });
    await told(stack.apiUrl, 'broken', { status: 'online' });
    client.stream.destroy();
    await told(stack.apiUrl, 'broken', { status: 'offline', reason: 'error' });
  });

  test('a client that takes over stays online', async () => {
    await connect(stack.brokerUrl, { clientId: 'twin' });
    const { since } = await told(stack.apiUrl, 'twin', { status: 'online' });
    await connect(stack.brokerUrl, { clientId: 'twin' });
    // The end of the first connection has been told too.
    await until(async () => (await eventsOf(stack.apiUrl, 'twin')).includes('disconnected'));
    await until(async () => (await eventsOf(stack.apiUrl, 'twin')).length === 3);
    const client = await told(stack.apiUrl, 'twin', { status: 'online' });
    expect(client.since > since).toBe(true);
  });

  test('an event makes no more events', async () => {
    const since = await until(async () => {
      const { events } = await get(stack.apiUrl, '/v1/presence/events?clientId=twin');
      return events[0]?.time;
    });
    await connect(stack.brokerUrl, { clientId: 'after-twin' });
    await told(stack.apiUrl, 'after-twin', { status: 'online' });
    const { clients } = await get(stack.apiUrl, '/v1/presence');
    const later = clients.filter(({ lastEventAt }: { lastEventAt: string }) => lastEventAt > since);
    expect(later.map(({ clientId }: { clientId: string }) => clientId)).toContain('after-twin');
    const bridges = later.filter(({ clientId }: { clientId: string }) =>
      /^causeway/.test(clientId),
    );
    expect(bridges).toEqual([]);
  });

  test('presence messages are not stored as messages', async () => {
    const { topics } = await get(stack.apiUrl, '/v1/topics?filter=$events/%23');
    expect(topics).toEqual([]);
  });
});

describe('npm start that is killed', () => {
  test('its clients are offline for the next one, and those that came back are not', async () => {
    const environment: Record<string, string> = {
      PORT: String(await freePort()),
      MQTT_PORT: String(await freePort()),
      DATA_DIR: temporaryFolder('presence-killed'),
      API_TOKEN: token,
    };
    const apiUrl = `http://127.0.0.1:${environment['PORT']}`;
    const brokerUrl = `mqtt://127.0.0.1:${environment['MQTT_PORT']}`;
    const killed = await run(environment, apiUrl);
    await connect(brokerUrl, { clientId: 'left' });
    await connect(brokerUrl, { clientId: 'returned' });
    await told(apiUrl, 'left', { status: 'online' });
    await told(apiUrl, 'returned', { status: 'online' });
    killed.kill('SIGKILL');
    await once(killed, 'exit');

    const next = await run(environment, apiUrl);
    await connect(brokerUrl, { clientId: 'returned' });
    await told(apiUrl, 'left', { status: 'offline', reason: 'server' });
    await until(async () => (await eventsOf(apiUrl, 'returned')).length === 3);
    await told(apiUrl, 'returned', { status: 'online' });
    // The bridge's own connections are clients like others.
    await told(apiUrl, 'causeway-store-0', { status: 'online' });
    await told(apiUrl, 'causeway-presence-0', { status: 'online' });
    next.kill('SIGINT');
    await once(next, 'exit');
  });

  async function run(environment: Record<string, string>, apiUrl: string): Promise<ChildProcess> {
    const child = spawn(process.execPath, [await programFile('start')], {
      // Where no causeway.config.ts is: Node 20 itself reads no TypeScript.
      cwd: temporaryFolder('start-elsewhere'),
      env: { ...process.env, ...environment },
      stdio: 'ignore',
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    const isReady = () =>
      fetch(`${apiUrl}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      );
    await until(isReady, { what: 'npm start is ready' });
    return child;
  }
});

describe.skipIf(!hasMosquitto)(
  `mosquitto, by the last will of devices ${hasMosquitto ? '' : needsMosquitto}`.trim(),
  () => {
    test('a device that says so, breaks, and comes back', async () => {
      const broker = await startMosquitto();
      onTestFinished(() => broker.stop());
      const stack = await start({
        environment: {
          PORT: String(await freePort()),
          BROKER_URL: broker.url,
          DATA_DIR: temporaryFolder('presence-will'),
        },
        presence: {
          source: 'last-will',
          lastWill: { topic: 'site/{clientId}/lwt', online: '{"on":true}', offline: 'off' },
        },
      });
      onTestFinished(() => stack.stop());
      const topic = 'site/pump/lwt';
      const device = async () => {
        const client = await connect(broker.url, {
          clientId: 'pump',
          will: { topic, payload: Buffer.from('off'), qos: 1, retain: true },
        });
        await client.publishAsync(topic, '{"on":true}', { qos: 1, retain: true });
        return client;
      };
      const first = await device();
      await told(stack.apiUrl, 'pump', { status: 'online' });
      first.stream.destroy();
      await told(stack.apiUrl, 'pump', { status: 'offline' });
      await device();
      await told(stack.apiUrl, 'pump', { status: 'online' });
      expect(await eventsOf(stack.apiUrl, 'pump')).toEqual([
        'connected',
        'disconnected',
        'connected',
      ]);
      expect((await get(stack.apiUrl, '/v1/presence')).clients).toHaveLength(1);
    });
  },
);
