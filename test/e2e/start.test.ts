// The real `npm start` as a child process, used as its own output says: publish, read back, command a device. What is not
// about npm itself starts the same program without it.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import mqtt from 'mqtt';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { brokers, temporaryFolder } from '../support/brokers.ts';
import { listenDuringTest } from '../support/listen-during-test.ts';
import { freePort } from '../support/ports.ts';
import { programFile } from '../support/started-once.ts';
import { until } from '../support/wait.ts';

interface Started {
  readonly child: ChildProcess;
  readonly output: () => string;
  /** Sends Ctrl-C; resolves with exit code and the time it took. */
  stop(): Promise<{ code: number | null; tookMs: number }>;
}

const program = [process.execPath, await programFile('start')];
const npmStart = ['npm', 'start', '--silent', '--'];
/** Where no causeway.config.ts is: Node 20 itself reads no TypeScript. */
const elsewhere = temporaryFolder('start-elsewhere');

/** Ctrl-C reaches the whole process group, as in a terminal. */
function start(
  [command = '', ...parts]: readonly string[],
  environment: Record<string, string>,
  ...options: string[]
): Started {
  const child = spawn(command, [...parts, ...options], {
    ...(command !== 'npm' && { cwd: elsewhere }),
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk) => (output += chunk));
  const exited = once(child, 'exit') as Promise<[number | null]>;
  return {
    child,
    output: () => output,
    async stop() {
      const since = Date.now();
      if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, 'SIGINT');
      const [code] = await exited;
      return { code, tookMs: Date.now() - since };
    },
  };
}

async function running(...starting: Parameters<typeof start>): Promise<Started> {
  const started = start(...starting);
  await until(
    () => started.output().includes('Publish to a device') || started.child.exitCode !== null,
  );
  if (started.child.exitCode !== null) throw new Error(started.output());
  return started;
}

/** The lines to paste, in the order they are printed. */
const pasteLines = (output: string) =>
  output.split('\n').filter((line) => /^ {2}(npx|curl) /.test(line));

function shell(line: string): string {
  const { stdout, stderr, status } = spawnSync('bash', ['-c', line], {
    encoding: 'utf8',
    timeout: 100_000,
  });
  if (status !== 0) throw new Error(`${line}\n${stderr}`);
  return stdout;
}

describe('with the embedded broker', () => {
  const folder = temporaryFolder('start');
  const settings: Record<string, string> = { DATA_DIR: folder };
  let started: Started;

  beforeAll(async () => {
    settings['PORT'] = String(await freePort());
    settings['MQTT_PORT'] = String(await freePort());
    started = await running(npmStart, settings);
  });
  afterAll(() => started.stop());

  test('the pasted lines work as printed', async () => {
    const [publish = '', read = '', command = ''] = pasteLines(started.output());
    const device = await mqtt.connectAsync(`mqtt://127.0.0.1:${settings['MQTT_PORT']}`);
    onTestFinished(() => device.endAsync(true));
    const received: string[] = [];
    device.on('message', (topic, payload) => received.push(`${topic} ${payload}`));
    await device.subscribeAsync('rooms/kitchen/cmd', { qos: 1 });

    shell(publish);
    const answer = await until(() => {
      const { messages } = JSON.parse(shell(`${read} -s`));
      return messages.length > 0 ? messages : undefined;
    });
    expect(answer[0]).toMatchObject({ topic: 'rooms/kitchen', qos: 1, payload: { celsius: 21.5 } });

    expect(JSON.parse(shell(`${command} -s`))).toMatchObject({
      status: 'sent',
      topic: 'rooms/kitchen/cmd',
    });
    await until(() => received.length === 1);
    expect(received).toEqual(['rooms/kitchen/cmd {"fan":"on"}']);
  });

  test('Ctrl-C ends it in under two seconds with exit code 0, and the messages are there after a new start', async () => {
    const { code, tookMs } = await started.stop();
    expect(code).toBe(0);
    // Promised are two seconds on an idle machine; the bound here only catches what hangs.
    console.log(`stopped in ${tookMs} ms`);
    expect(tookMs).toBeLessThan(60_000);
    started = await running(program, settings);
    const [, read = ''] = pasteLines(started.output());
    expect(JSON.parse(shell(`${read} -s`)).messages).toHaveLength(1);
  });

  test('readiness is answered on PORT', async () => {
    const response = await fetch(`http://127.0.0.1:${settings['PORT']}/readyz`);
    expect([response.status, await response.json()]).toEqual([
      200,
      { status: 'ready', problems: [] },
    ]);
  });

  test('a folder in use is one clear line', async () => {
    const second = start(program, { DATA_DIR: folder, PORT: '0', MQTT_PORT: '0' });
    expect((await once(second.child, 'close'))[0]).not.toBe(0);
    expect(second.output().trim()).toBe(`DATA_DIR: ${folder} is in use by another process`);
  });
});

for (const { name, available, start: startBroker } of brokers.slice(1)) {
  describe.skipIf(!available)(`with BROKER_URL: ${name}`, () => {
    test('works the same, and the demo shows itself', async () => {
      const broker = await startBroker();
      onTestFinished(() => broker.stop());
      const started = await running(
        program,
        {
          BROKER_URL: broker.url,
          PORT: '0',
          DATA_DIR: temporaryFolder('start'),
          API_TOKEN: 'a-token-of-our-own',
        },
        '--demo',
      );
      onTestFinished(async () => void (await started.stop()));
      const [, read = '', command = ''] = pasteLines(started.output());
      expect(read).toContain('Bearer a-token-of-our-own');
      await until(() => JSON.parse(shell(`${read} -s`)).messages.length > 0);
      const published = JSON.parse(shell(`${command} -s`));
      expect(published).toMatchObject({ status: 'sent' });
      // Only that nobody was there is certain.
      expect(published).not.toHaveProperty('hadSubscribers');
      await until(() => started.output().includes('received on demo/kitchen/cmd: {"fan":"on"}'));
    });
  });
}

test('--help shows the settings', () => {
  const help = shell(`${program.join(' ')} --help`);
  for (const name of [
    'PORT',
    'MQTT_PORT',
    'BROKER_URL',
    'DATA_DIR',
    'API_TOKEN',
    'DYNAMODB_ENDPOINT',
  ]) {
    expect(help).toContain(name);
  }
});

describe('a setting that cannot be used is one clear line and exit code 1', () => {
  test.each([
    [{ PORT: 'eighty' }, /^PORT: must be a port number/],
    [{ BROKER_URL: 'http://x' }, /^BROKER_URL: must be a URL that starts with mqtt:/],
    [{ API_TOKEN: 'short' }, /^API_TOKEN: must be 16 to 256/],
    [
      { BROKER_URL: 'mqtt://127.0.0.1:1' },
      /^BROKER_URL: the broker at mqtt:\/\/127.0.0.1:1 cannot be reached: .*ECONNREFUSED/,
    ],
    [
      { DYNAMODB_ENDPOINT: 'http://127.0.0.1:1' },
      /^DYNAMODB_ENDPOINT: no DynamoDB answers at http:\/\/127.0.0.1:1/,
    ],
  ])('%j', async (environment, line) => {
    const started = start(program, {
      PORT: '0',
      MQTT_PORT: '0',
      DATA_DIR: temporaryFolder('start'),
      ...(environment as object),
    });
    expect((await once(started.child, 'close'))[0]).toBe(1);
    expect(started.output().trim()).toMatch(line);
    expect(started.output().trim().split('\n')).toHaveLength(1);
  });

  test.each(['PORT', 'MQTT_PORT'])('%s taken', async (name) => {
    const port = String(await listenDuringTest(createServer()));
    const started = start(program, {
      PORT: '0',
      MQTT_PORT: '0',
      DATA_DIR: temporaryFolder('start'),
      [name]: port,
    });
    expect((await once(started.child, 'close'))[0]).toBe(1);
    expect(started.output().trim()).toBe(`${name}: port ${port} is taken; choose another`);
  });
});
