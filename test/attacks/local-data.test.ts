// Other users of this machine, and pages in its browser, who want what `npm start` keeps, or its memory.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, expect } from 'vitest';
import { clientOf } from '../../infra/local/database.ts';
import { type RunningStack, stackFile } from '../../infra/local/stack-file.ts';
import { temporaryFolder } from '../support/brokers.ts';
import { freePort } from '../support/ports.ts';
import { until } from '../support/wait.ts';
import { attack, slowdown, slowdownText } from './attack.ts';

const folder = join(temporaryFolder('data'), 'causeway');
const run = (script: string, environment: Record<string, string>, ...options: string[]) =>
  spawn(process.execPath, ['--import', 'tsx', script, ...options], {
    env: { ...process.env, DATA_DIR: folder, ...environment },
  });

const token = 'a-token-of-the-api';
let port: number;
let pid: number;
let stop: () => Promise<unknown>;
let stack: RunningStack;
/** What `npm start` has printed. */
let output = '';

beforeAll(async () => {
  // As an older version left it.
  for (const part of ['database', 'broker']) {
    mkdirSync(join(folder, part), { recursive: true });
    chmodSync(join(folder, part), 0o755);
    writeFileSync(join(folder, part, 'LOG.old'), '', { mode: 0o644 });
  }
  chmodSync(folder, 0o755);
  writeFileSync(stackFile(folder), '{}', { mode: 0o644 });
  port = await freePort();
  const ports = { PORT: String(port), MQTT_PORT: String(await freePort()) };
  const child = run('infra/cli/start.ts', { ...ports, API_TOKEN: token });
  pid = child.pid ?? 0;
  const exited = once(child, 'exit');
  stop = async () => {
    child.kill('SIGTERM');
    await exited;
  };
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => (output += chunk));
  await until(() => output.includes('Publish to a device') || child.exitCode !== null);
  stack = JSON.parse(readFileSync(stackFile(folder), 'utf8'));
});
afterAll(() => stop?.());

/** A call that would write an item. */
const writing = () => ({
  headers: {
    'content-type': 'application/x-amz-json-1.0',
    'x-amz-target': 'DynamoDB_20120810.PutItem',
  },
  body: JSON.stringify({ TableName: stack.table, Item: { pk: { S: 'evil' }, sk: { S: 'evil' } } }),
});

async function isWritten(): Promise<boolean> {
  const client = clientOf(stack.database);
  const key = { pk: { S: 'evil' }, sk: { S: 'evil' } };
  const { Item } = await client.send(new GetItemCommand({ TableName: stack.table, Key: key }));
  client.destroy();
  return Item !== undefined;
}

/** What a shell command prints as another user, where this one may become another. */
function asNobody(command: string, ...options: string[]): string {
  const user = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
  const { stdout, stderr } = spawnSync(command, options, { ...user, cwd: '/', encoding: 'utf8' });
  return stdout + stderr;
}

attack('another user of this machine writes into the database with curl', async () => {
  if (!('socket' in stack.database)) throw new Error('the embedded database has no socket');
  const { socket } = stack.database;
  const { headers, body } = writing();
  const lines = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  const format = ['-s', '-o', '/dev/null', '-w', '%{http_code}', '--max-time', '10'];
  // Only root may become another user.
  if (process.getuid?.() !== 0) return 'not tried: this user may not become another';
  const answer = asNobody(
    'curl',
    ...format,
    ...lines,
    '--unix-socket',
    socket,
    '-d',
    body,
    'http://database.invalid/',
  );
  expect(answer).toBe('000');
  expect(lstatSync(socket).mode & 0o777).toBe(0o600);
  expect(await isWritten()).toBe(false);
  return 'no connection to the socket of mode 0600, and nothing was written';
});

attack('a page of another origin looks for the database at every port of npm start', async () => {
  const { headers, body } = writing();
  const urls = [...new Set(output.match(/https?:\/\/127\.0\.0\.1:\d+/g))];
  expect(urls.length).toBeGreaterThan(1);
  for (const url of urls) {
    const response = await fetch(url, {
      method: 'POST',
      headers: { ...headers, origin: 'http://127.0.0.1:8081' },
      body,
    });
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
  }
  expect(await isWritten()).toBe(false);
  return `${urls.length} ports, none of them answers for the database`;
});

attack('another user reads the folder, which an older version left open', async () => {
  const paths = [
    folder,
    ...readdirSync(folder, { recursive: true }).map((name) => join(folder, String(name))),
  ];
  expect(paths.length).toBeGreaterThan(10);
  // Files come and go with the database.
  const modes = paths.map((path) => lstatSync(path, { throwIfNoEntry: false })?.mode ?? 0);
  expect(paths.filter((_, index) => ((modes[index] ?? 0) & 0o077) !== 0)).toEqual([]);
  if (process.getuid?.() === 0)
    expect(asNobody('cat', stackFile(folder))).toContain('Permission denied');
  const list = run('infra/cli/token.ts', { MESSAGES_TABLE: '' }, 'list');
  expect(await once(list, 'exit')).toEqual([0, null]);
  return 'every folder 0700, every file 0600; npm run token of the same user works';
});

/** Memory of `npm start`, in MB. */
const memoryMB = () =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1000;

attack(
  'a caller with a token sends 300 bodies of 1 MB, but for their last bytes, and waits',
  async () => {
    const url = `http://127.0.0.1:${port}/v1/messages?topic=a`;
    const headers = { authorization: `Bearer ${token}` };
    // With a token of its own: the attacker's has spent its requests of the second.
    const made = await fetch(`http://127.0.0.1:${port}/v1/tokens`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'honest', scopes: ['read:#'] }),
    });
    const { token: own } = (await made.json()) as { token: string };
    const honest = async () => {
      const { status } = await fetch(url, { headers: { authorization: `Bearer ${own}` } });
      expect(status).toBe(200);
    };
    const head = (number: number) => [
      ...['POST /v1/publish HTTP/1.1', 'Host: x', `Authorization: ${headers.authorization}`],
      'Content-Type: application/json',
      ...(number % 2 === 0
        ? ['Content-Length: 1000000', '', '']
        : ['Transfer-Encoding: chunked', '', (1_000_000).toString(16), '']),
    ];
    const before = memoryMB();
    let closed = 0;
    const measured = await slowdown(
      honest,
      async () => {
        for (let number = 0; number < 300; number++) {
          const socket = connect(port, '127.0.0.1');
          socket.on('error', () => {}).on('close', () => closed++);
          socket.resume().write(head(number).join('\r\n'));
          socket.write(Buffer.alloc(999_000, 'x'));
        }
        await until(() => closed >= 200);
      },
      30,
    );
    const grown = memoryMB() - before;
    expect(output.split('a function failed').length - 1).toBe(0);
    expect(grown).toBeLessThan(250);
    expect(measured.ratio).toBeLessThan(100);
    return `${closed} closed as others began, ${Math.round(grown)} MB more memory; ${slowdownText(measured)}`;
  },
);
