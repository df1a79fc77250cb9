// The bridge as a process, with the environment that infra/aws gives it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import mqtt from 'mqtt';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { BridgeVariable } from '../../bridge/environment.ts';
import { bridgesInTable } from '../../functions/api/bridge-client/bridges.ts';
import {
  hasMosquitto,
  needsMosquitto,
  startMosquitto,
  temporaryFolder,
} from '../support/brokers.ts';
import { startHandler } from '../support/handler.ts';
import { listenDuringTest } from '../support/listen-during-test.ts';
import { freePort } from '../support/ports.ts';
import { programFile } from '../support/started-once.ts';
import { startTable } from '../support/table.ts';
import { until } from '../support/wait.ts';
import { startFakeSecretsManager } from './fake-secrets-manager.ts';

const entry = await programFile('bridge');

function start(
  environment: Partial<Record<BridgeVariable, string>>,
  ofSdk: Record<string, string> = {},
) {
  const child = spawn(process.execPath, [entry], {
    env: { PATH: process.env['PATH'], ...environment, ...ofSdk },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const started = { child, output: '', errors: '' };
  child.stdout.on('data', (chunk) => {
    started.output += chunk;
  });
  child.stderr.on('data', (chunk) => {
    started.errors += chunk;
  });
  return started;
}

test('what is wrong with the environment is said, without its values, and ends the start', async () => {
  const bridge = start({
    CAUSEWAY_CONFIG: '{"password":"hunter2"',
  });
  const [code] = await once(bridge.child, 'close');
  expect([code, bridge.errors]).toEqual([1, 'CAUSEWAY_CONFIG: is not JSON\n']);
});

describe.skipIf(!hasMosquitto)(`on AWS ${hasMosquitto ? '' : needsMosquitto}`.trim(), () => {
  test('secrets by name, signed requests, an address with its token for the api, and numbers in the log', async () => {
    const broker = await startMosquitto();
    onTestFinished(() => broker.stop());
    const table = await startTable();
    onTestFinished(() => table.close());
    const handler = await startHandler();
    onTestFinished(() => handler.close());
    const credentials = JSON.stringify({ username: 'bridge', password: 'hunter2' });
    const manager = await startFakeSecretsManager({ 'causeway/broker': credentials });
    const config = {
      broker: { url: broker.url, credentialsSecret: 'causeway/broker' },
      http: { port: await freePort() },
      quarantineFolder: temporaryFolder('main'),
      routes: [
        {
          name: 'store',
          filter: '#',
          url: `${handler.url}?retentionDays=7`,
          allowPrivate: true,
          auth: 'aws-iam',
        },
      ],
      commandTable: table.tableName,
      quarantineTable: table.tableName,
      leaseTable: table.tableName,
    };
    // As ECS tells a task of its network.
    const metadata = createServer((_, response) =>
      response.end(JSON.stringify({ Networks: [{ IPv4Addresses: ['127.0.0.1'] }] })),
    );
    const metadataPort = await listenDuringTest(metadata);
    const bridge = start(
      {
        CAUSEWAY_CONFIG: JSON.stringify(config),
        ECS_CONTAINER_METADATA_URI_V4: `http://127.0.0.1:${metadataPort}/v4`,
      },
      {
        AWS_REGION: 'eu-central-1',
        AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
        AWS_SECRET_ACCESS_KEY: 'secret',
        AWS_ENDPOINT_URL_DYNAMODB: table.endpoint,
        AWS_ENDPOINT_URL_SECRETS_MANAGER: manager.url,
      },
    );
    const url = await until(() => /"url":"(http:[^"]+)"/.exec(bridge.output)?.[1]);
    // Before it has its lease it is a standby, and ready as such.
    await until(() => /session (resumed|started)/.test(bridge.output));
    await until(async () => (await fetch(`${url}/readyz`)).ok);
    expect(manager.reads).toEqual(['causeway/broker']);

    const device = await mqtt.connectAsync(broker.url);
    onTestFinished(() => device.endAsync(true));
    await device.publishAsync('a', '1', { qos: 1 });
    await until(() => handler.stored.length === 1);
    expect(handler.requests[0]?.headers.authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-central-1\/lambda\/aws4_request, /,
    );

    const deliver = (token: string) =>
      fetch(`${url}/deliver`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}` },
        body: JSON.stringify({ commands: [], timeoutMs: 0 }),
      });
    const bridges = bridgesInTable(table);
    const [found] = await bridges.list();
    expect(found?.url).toBe(url);
    expect((await deliver('a guess')).status).toBe(401);
    expect((await deliver(found?.token ?? '')).status).not.toBe(401);

    bridge.child.kill('SIGTERM');
    const [code] = await once(bridge.child, 'close');
    expect(code).toBe(0);
    const lines = bridge.output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.find(({ msg }) => msg === 'route metrics')).toMatchObject({
      route: 'store',
      deliveredMessages: 1,
    });
    expect(bridge.output + bridge.errors).not.toMatch(/hunter2/);
  });
});
