// The bridge as a process, with the environment that infra/aws gives it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import mqtt from 'mqtt';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { BridgeVariable } from '../../bridge/environment.ts';
import { bridgeTokenOf } from '../../functions/contract/secret.ts';
import { hasMosquitto, needsMosquitto, startMosquitto } from '../support/brokers.ts';
import { startHandler } from '../support/handler.ts';
import { startTable } from '../support/table.ts';
import { until } from '../support/wait.ts';
import { startFakeSecretsManager } from './fake-secrets-manager.ts';

const entry = fileURLToPath(new URL('../../bridge/main.ts', import.meta.url));

function start(
  environment: Partial<Record<BridgeVariable, string>>,
  ofSdk: Record<string, string> = {},
) {
  const child = spawn(process.execPath, ['--import', 'tsx', entry], {
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
    INTERNAL_SECRET: 'x'.repeat(32),
  });
  const [code] = await once(bridge.child, 'close');
  expect([code, bridge.errors]).toEqual([1, 'CAUSEWAY_CONFIG: must be JSON\n']);
});

describe.skipIf(!hasMosquitto)(`on AWS ${hasMosquitto ? '' : needsMosquitto}`.trim(), () => {
  test('secrets by name, signed requests, a token from the internal secret, and numbers in the log', async () => {
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
      http: { port: 0 },
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
    };
    const internalSecret = 'internal secret of 32 characters';
    const bridge = start(
      { CAUSEWAY_CONFIG: JSON.stringify(config), INTERNAL_SECRET: internalSecret },
      {
        AWS_REGION: 'eu-central-1',
        AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
        AWS_SECRET_ACCESS_KEY: 'secret',
        AWS_ENDPOINT_URL_DYNAMODB: table.endpoint,
        AWS_ENDPOINT_URL_SECRETS_MANAGER: manager.url,
      },
    );
    const url = await until(() => /"url":"(http:[^"]+)"/.exec(bridge.output)?.[1]);
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
    expect((await deliver(internalSecret)).status).toBe(401);
    expect((await deliver(bridgeTokenOf(internalSecret))).status).not.toBe(401);

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
    expect(bridge.output + bridge.errors).not.toMatch(/hunter2|internal secret of/);
  });
});
