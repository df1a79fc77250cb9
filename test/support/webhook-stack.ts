// The local stack with webhooks beside a route that stores, in this process or in one that can be killed, and calls of
// its API.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import mqtt, { type MqttClient } from 'mqtt';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { type CausewayConfigInput, parseCausewayConfig } from '../../infra/config.ts';
import { parseSettings } from '../../infra/local/settings.ts';
import { type LocalStack, startStack } from '../../infra/local/stack.ts';
import { temporaryFolder } from './brokers.ts';
import { until } from './wait.ts';

type WebhookRoute = CausewayConfigInput['routes'][number];

export interface WebhookStackInput {
  /** Beside `store`, which stores everything. */
  readonly routes: readonly WebhookRoute[];
  /** Of an earlier stack, to start again with what it kept. */
  readonly folder?: string | undefined;
  readonly retentionDays?: number;
  /** Of a DynamoDB to use; by default it starts its own. */
  readonly databaseUrl?: string;
}

export interface Answered {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at what it expects
  readonly body: any;
}

type CompleteInput = Omit<WebhookStackInput, 'folder'> & { readonly folder: string };

/** What a test needs of a stack, wherever that runs. */
export interface WebhookStack
  extends Pick<LocalStack, 'apiUrl' | 'brokerUrl' | 'bridgeUrl' | 'databaseUrl' | 'token'> {
  readonly folder: string;
  call(method: string, path: string, body?: unknown): Promise<Answered>;
  /** Publishes at QoS 1, one after the other, and waits until all of them are stored. */
  publish(topic: string, ...payloads: string[]): Promise<void>;
  /** Starts a replay, of messages or as the path says; resolves with it. */
  replay(body: object, path?: string): Promise<Answered['body']>;
  /** The replay, once it is in one of these states. */
  replayIn(id: string, ...states: string[]): Promise<Answered['body']>;
  stop(): Promise<void>;
}

/** The secret that handlers name: without one, others could send too. */
export const hookSecret = 'hook';
const secret = `whsec_${Buffer.alloc(32, 9).toString('base64')}`;

const ended = ['done', 'failed', 'cancelled'];

/** The same in every process that starts it. */
export function openStack({ routes, folder, retentionDays = 30, databaseUrl }: CompleteInput) {
  const config = parseCausewayConfig({
    broker: { url: 'mqtts://broker.example.com' },
    routes: [{ name: 'store', filter: '#' }, ...routes],
    retentionDays,
  } as CausewayConfigInput);
  const file = join(folder, 'secrets.json');
  writeFileSync(file, JSON.stringify({ [hookSecret]: secret }), { mode: 0o600 });
  const settings = parseSettings({
    PORT: '0',
    MQTT_PORT: '0',
    DATA_DIR: folder,
    WEBHOOKS: 'true',
    SECRETS_FILE: file,
    REQUESTS_PER_SECOND: '10000',
    DYNAMODB_ENDPOINT: databaseUrl,
  });
  if (!config.ok || !settings.ok) throw new Error(JSON.stringify([config, settings]));
  return startStack(settings.value, config.value, pino({ level: 'silent' }));
}

/** Starts one in this process; it ends with the test. */
export async function startWebhookStack(input: WebhookStackInput): Promise<WebhookStack> {
  const complete = completed(input);
  const stack = await openStack(complete);
  return opened(
    stack,
    complete.folder,
    oneTime(() => stack.stop()),
  );
}

/** Starts one in a process of its own, which `kill` ends at once. */
export async function startStackProcess(
  input: WebhookStackInput,
): Promise<WebhookStack & { kill(): Promise<void> }> {
  const complete = completed(input);
  const script = fileURLToPath(new URL('webhook-stack-process.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', script, JSON.stringify(complete)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  await until(() => output.endsWith('\n') || child.exitCode !== null);
  if (child.exitCode !== null) throw new Error('the stack did not start');
  const stack = await opened(JSON.parse(output), complete.folder, () => ending(child, 'SIGTERM'));
  return { ...stack, kill: () => ending(child, 'SIGKILL') };
}

function completed(input: WebhookStackInput): CompleteInput {
  return { ...input, folder: input.folder ?? temporaryFolder('webhook-stack') };
}

async function ending(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill(signal);
  await once(child, 'exit');
}

function oneTime(stop: () => Promise<void>): () => Promise<void> {
  let stopped: Promise<void> | undefined;
  return () => {
    stopped ??= stop();
    return stopped;
  };
}

async function opened(
  stack: Omit<LocalStack, 'stop'>,
  folder: string,
  stop: () => Promise<void>,
): Promise<WebhookStack> {
  const { apiUrl, brokerUrl, bridgeUrl, databaseUrl, token } = stack;
  onTestFinished(stop);
  let device: MqttClient | undefined;
  const connected = async () => {
    device ??= await mqtt.connectAsync(brokerUrl, { protocolVersion: 4 });
    return device;
  };
  onTestFinished(() => device?.endAsync(true));

  async function call(method: string, path: string, body?: unknown): Promise<Answered> {
    const response = await fetch(`${apiUrl}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: await response.json() };
  }

  return {
    ...{ apiUrl, brokerUrl, bridgeUrl, databaseUrl, token, folder },
    call,
    async publish(topic, ...payloads) {
      const client = await connected();
      for (const payload of payloads) await client.publishAsync(topic, payload, { qos: 1 });
      const path = `/v1/messages?topic=${topic}&limit=1000`;
      await until(async () => (await call('GET', path)).body.messages.length >= payloads.length, {
        what: `${topic} stored`,
      });
    },
    async replay(body, path = '/v1/replay') {
      const answer = await call('POST', path, body);
      if (answer.status !== 202) throw new Error(JSON.stringify(answer));
      return answer.body;
    },
    replayIn(id, ...states) {
      const wanted = states.length === 0 ? ended : states;
      return until(
        async () => {
          const { body } = await call('GET', `/v1/replays/${id}`);
          return wanted.includes(body.status) ? body : undefined;
        },
        { what: `the replay ${wanted.join(' or ')}` },
      );
    },
    stop,
  };
}
