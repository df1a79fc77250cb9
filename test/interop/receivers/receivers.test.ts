// The receivers that the guide shows, each in its framework: they take what the bridge signs, and refuse what it does not.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openSink, send } from '../../bridge/handler/routes.ts';
import { temporaryFolder } from '../../support/brokers.ts';
import { message } from '../../support/messages.ts';
import { freePort } from '../../support/ports.ts';
import { until } from '../../support/wait.ts';

/** A framework is fetched and compiled where it has not been before. */
const timeoutMs = 10 * 60_000;
const receivers = fileURLToPath(new URL('.', import.meta.url));
const secretOf = (byte: number) => `whsec_${Buffer.alloc(32, byte).toString('base64')}`;

function makeFolder(): string {
  const folder = temporaryFolder('receivers');
  cpSync(receivers, folder, { recursive: true });
  return folder;
}

function run(cwd: string, program: string, ...options: string[]): void {
  const { status, stdout, stderr } = spawnSync(program, options, { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${options.join(' ')}: ${stdout}${stderr}`);
}

async function tryReceiver(start: (env: NodeJS.ProcessEnv) => ChildProcess) {
  const port = await freePort();
  const child = start({ ...process.env, SECRET: secretOf(1), PORT: String(port) });
  let printed = '';
  child.stdout?.on('data', (chunk) => (printed += chunk));
  child.stderr?.on('data', (chunk) => (printed += chunk));
  onTestFinished(() => void child.kill());
  const url = `http://127.0.0.1:${port}/`;
  await until(
    () =>
      fetch(url).then(
        () => true,
        () => child.exitCode !== null,
      ),
    { timeoutMs: 30_000 },
  );
  for (const format of ['cloudevents-batch', 'cloudevents'] as const) {
    const route = { url, format };
    const good = await openSink({ ...route, secret: secretOf(1) });
    const topic = `rooms/${format}`;
    expect([printed, await send(good, message({ topic }))]).toMatchObject([
      expect.any(String),
      { status: 200, verdict: { kind: 'answered' } },
    ]);
    await until(() => printed.includes(topic));
    const forged = await openSink({ ...route, secret: secretOf(2) });
    expect(await send(forged, message({ topic: 'forged' }))).toMatchObject({ status: 401 });
  }
  expect(printed).toContain('21.5');
  expect(printed).not.toContain('forged');
}

const has = (program: string, ...options: string[]) => spawnSync(program, options).status === 0;
const missing = (is: boolean, what: string) => (is ? what : `${what} (not run: needs ${what})`);
const hasPython = has('python3', '-c', 'import venv, ensurepip');
const hasGo = has('go', 'version');

test.each(['express', 'hono'])('%s', { timeout: timeoutMs }, async (name) => {
  const folder = makeFolder();
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  const packages = [
    'express@5.2.1',
    'hono@4.13.19',
    '@hono/node-server@2.1.8',
    'standardwebhooks@1.1.1',
  ];
  run(folder, 'npm', 'install', '--no-audit', '--no-fund', ...packages);
  await tryReceiver((env) => spawn(process.execPath, [`${name}.mjs`], { cwd: folder, env }));
});

describe.skipIf(!hasPython)(missing(hasPython, 'python3'), () => {
  test('FastAPI', { timeout: timeoutMs }, async () => {
    const folder = makeFolder();
    run(folder, 'python3', '-m', 'venv', 'python');
    const packages = ['fastapi==0.165.0', 'uvicorn==0.54.0', 'standardwebhooks==1.1.0'];
    run(folder, 'python/bin/pip', 'install', '--quiet', ...packages);
    await tryReceiver((env) =>
      spawn(join(folder, 'python/bin/python'), ['receiver.py'], { cwd: folder, env }),
    );
  });
});

describe.skipIf(!hasGo)(missing(hasGo, 'go'), () => {
  test('net/http', { timeout: timeoutMs }, async () => {
    const folder = join(makeFolder(), 'nethttp');
    run(folder, 'go', 'mod', 'init', 'causeway.test/receiver');
    run(folder, 'go', 'get', 'github.com/standard-webhooks/standard-webhooks/libraries@v0.0.1');
    run(folder, 'go', 'build', '-o', 'receiver', '.');
    await tryReceiver((env) => spawn(join(folder, 'receiver'), { cwd: folder, env }));
  });
});
