// `npm run broker`: its settings, the hash of a password, its end.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compareSync } from 'bcryptjs';
import mqtt from 'mqtt';
import { expect, test } from 'vitest';
import { brokerSettingsOf } from '../../../infra/broker/settings/environment.ts';
import { parseBrokerSettings } from '../../../infra/broker/settings/settings.ts';
import { temporaryFolder } from '../../support/brokers.ts';
import { programFile } from '../../support/started-once.ts';
import { until } from '../../support/wait.ts';
import { startChild } from '../broker/child.ts';

const program = await programFile('broker');

function run(args: readonly string[], environment: Record<string, string> = {}, input = '') {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
    env: { ...process.env, ...environment },
    input,
    encoding: 'utf8',
  });
  return { status, stdout, stderr: stderr.trim().split('\n') };
}

test('it starts from a file and the environment, says where it listens, and ends on Ctrl-C', async () => {
  const folder = temporaryFolder('broker-script');
  const config = join(folder, 'broker.json');
  const document = { port: 1, folder: join(folder, 'data'), websocket: { port: 0 } };
  writeFileSync(config, JSON.stringify(document));
  const child = await startChild({ BROKER_CONFIG: config, BROKER_PORT: '0' });
  const port = /mqtt:\/\/127\.0\.0\.1:(\d+)/.exec(child.output())?.[1];
  expect(child.output()).toMatch(/Listening on ws:\/\/127\.0\.0\.1:\d+\/mqtt/);
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 0 });
  expect(await child.stop('SIGINT')).toBe(0);
  client.end(true);
});

test('METRICS_PORT shows what is counted, on loopback', async () => {
  const child = await startChild({
    BROKER_PORT: '0',
    BROKER_FOLDER: temporaryFolder('broker-script'),
    METRICS_PORT: '0',
  });
  const url = await until(() => /Metrics at (\S+)/.exec(child.output())?.[1]);
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/metrics$/);
  const text = await (await fetch(url)).text();
  expect(text).toContain('causeway_broker_connections 0');
  expect(await child.stop('SIGINT')).toBe(0);
  expect(run([], { METRICS_PORT: '70000' }).stderr).toEqual([
    'METRICS_PORT: must be a port number from 0 to 65535',
  ]);
  expect(run([], { LOG_LEVEL: 'loud' }).stderr).toEqual([
    'LOG_LEVEL: must be one of trace, debug, info, warn, error, fatal, silent',
  ]);
});

test('hash prints a user for the users file', () => {
  const { status, stdout } = run(['hash', 'lamp'], {}, 'pass word\n');
  expect(status).toBe(0);
  const { name, hash } = JSON.parse(stdout);
  expect(name).toBe('lamp');
  expect(compareSync('pass word', hash)).toBe(true);
  expect(run(['hash'], {}, '\n').stderr).toEqual(['the password is empty']);
  expect(run(['hash', '$lamp'], {}, 'light').stderr).toEqual([
    "name: must not start with $: those are the broker's own",
  ]);
  expect(run(['hash'], {}, 'é'.repeat(37)).stderr).toEqual([
    'the password is longer than 72 bytes',
  ]);
});

test('what cannot be used is named, all of it, and nothing starts', () => {
  const { status, stderr } = run([], {
    BROKER_PORT: 'x',
    BROKER_TLS_PORT: '70000',
    BROKER_MAX_SESSIONS: '0',
    BROKER_ANONYMOUS: 'yes',
  });
  expect(status).toBe(1);
  expect(stderr).toEqual([
    'port (BROKER_PORT): must be a port number from 0 to 65535',
    'anonymous (BROKER_ANONYMOUS): must be loopback or never',
    'tls.port (BROKER_TLS_PORT): must be a port number from 0 to 65535',
    'tls.certFile (BROKER_TLS_CERT_FILE): must name a file',
    'tls.keyFile (BROKER_TLS_KEY_FILE): must name a file',
    'limits.maxSessions (BROKER_MAX_SESSIONS): must be a whole number from 1 to 1000000',
  ]);
  expect(run([], { BROKER_PROT: '1' }).stderr).toEqual(['BROKER_PROT: is not a known setting']);
  expect(run(['--wrong']).stderr.at(-1)).toBe('Try: npx causeway broker --help');
  expect(run([], { BROKER_CONFIG: '/nowhere.json' }).stderr[0]).toMatch(/^BROKER_CONFIG: .*ENOENT/);
});

test('--help shows every setting', () => {
  const { status, stdout } = run(['--help']);
  expect(status).toBe(0);
  expect(stdout).toMatch(/BROKER_BACKLOG +backlog +.*\(default 2000\)/);
  expect(stdout).toMatch(/BROKER_MAX_QUEUED_MESSAGES +limits\.maxQueuedMessages/);
});

test('the environment goes over the document', () => {
  const merged = brokerSettingsOf(
    {
      BROKER_PORT: 'null',
      BROKER_TLS_KEY_FILE: 'b',
      BROKER_TLS_HOST: '0.0.0.0',
      BROKER_WEBSOCKET_TLS: 'true',
      BROKER_WEBSOCKET_ORIGINS: 'https://a, https://b',
      BROKER_FOLDER: '123',
      BROKER_HOST: '',
      BROKER_SYNC_WRITES: 'true',
    },
    { document: { port: 1, tls: { port: 2, certFile: 'a' } }, others: [] },
  );
  expect(merged).toMatchObject({
    ok: true,
    value: {
      port: null,
      host: '127.0.0.1',
      folder: '123',
      syncWrites: true,
      tls: { port: 2, host: '0.0.0.0', certFile: 'a', keyFile: 'b' },
      websocket: { tls: true, origins: ['https://a', 'https://b'] },
    },
  });
  expect(parseBrokerSettings({ port: null })).toMatchObject({
    faults: [{ field: 'port', rule: 'leaves no port to listen on' }],
  });
});
