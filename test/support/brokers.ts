// Real brokers for tests: Debian's mosquitto as a child process, and the embedded one.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mqtt from 'mqtt';
import { startBroker } from '../../infra/broker/broker.ts';
import { freePort } from './ports.ts';
import { until } from './wait.ts';

export interface TestBroker {
  readonly url: string;
  readonly port: number;
  stop(signal?: NodeJS.Signals): Promise<void>;
}

const temporaryFolders = new Set<string>();
process.once('exit', () => {
  for (const folder of temporaryFolders) rmSync(folder, { recursive: true, force: true });
});
// A benchmark that is ended by a signal has no 'exit' without it.
process.once('SIGTERM', () => process.exit());

/** A folder that is gone when the process ends; where a test run kills it, when the run ends. */
export function temporaryFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `causeway-${name}-`));
  temporaryFolders.add(folder);
  // As root, mosquitto drops to a user of its own, who has to be able to write here.
  chmodSync(folder, 0o777);
  return folder;
}

const command = ['mosquitto', '/usr/sbin/mosquitto'].find(
  (path) => spawnSync(path, ['-h']).error === undefined,
);

/** Whether mosquitto is installed. */
export const hasMosquitto = command !== undefined;
export const needsMosquitto = '(needs mosquitto: apt-get install mosquitto)';

export interface MosquittoOptions {
  readonly port?: number;
  readonly folder?: string;
  /** More lines of mosquitto.conf. */
  readonly settings?: readonly string[];
}

/** Starts mosquitto on loopback, without its limits on what it keeps for a session that is away. */
export async function startMosquitto(
  options: MosquittoOptions = {},
): Promise<TestBroker & { process: ChildProcess }> {
  if (command === undefined) throw new Error('mosquitto is not installed');
  const port = options.port ?? (await freePort());
  const folder = options.folder ?? temporaryFolder('mosquitto');
  const file = join(folder, 'mosquitto.conf');
  const lines = [
    `listener ${port} 127.0.0.1`,
    'allow_anonymous true',
    'max_queued_messages 0',
    `persistence_location ${folder}/`,
    ...(options.settings ?? []),
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  const child = spawn(command, ['-c', file], { stdio: 'ignore' });
  const url = `mqtt://127.0.0.1:${port}`;
  await until(() => canConnect(url), { what: 'mosquitto accepts connections' });
  return {
    url,
    port,
    process: child,
    async stop(signal = 'SIGTERM') {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill(signal);
      await once(child, 'exit');
    },
  };
}

async function canConnect(url: string): Promise<boolean> {
  try {
    const client = await mqtt.connectAsync(url, { reconnectPeriod: 0, connectTimeout: 2000 });
    await client.endAsync();
    return true;
  } catch {
    return false;
  }
}

export async function startEmbedded(): Promise<TestBroker> {
  const broker = await startBroker({
    host: '127.0.0.1',
    port: 0,
    folder: temporaryFolder('embedded'),
  });
  return { url: `mqtt://127.0.0.1:${broker.port}`, port: broker.port, stop: () => broker.close() };
}

/** The brokers that a suite runs against, with the protocol version each one speaks. */
export const brokers = [
  {
    name: 'the embedded broker, MQTT 3.1.1',
    version: 4 as const,
    available: true,
    start: startEmbedded,
  },
  {
    name: `mosquitto, MQTT 5 ${hasMosquitto ? '' : needsMosquitto}`.trim(),
    version: 5 as const,
    available: hasMosquitto,
    start: () => startMosquitto(),
  },
];
