// The local stack with webhooks beside a route that stores, in this process or in one that can be killed, and calls of
// its API.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import mqtt, { type MqttClient } from 'mqtt';
import { onTestFinished } from 'vitest';
import type { LocalStack } from '../../infra/local/stack.ts';
import { temporaryFolder } from './brokers.ts';
import { programFile } from './started-once.ts';
import { until } from './wait.ts';
import { type CompleteInput, openStack, type WebhookStackInput } from './webhook-stack-opened.ts';

export { hookSecret } from './webhook-stack-opened.ts';

export interface Answered {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at what it expects
  readonly body: any;
}

/** What a test needs of a stack, wherever that runs. */
export interface WebhookStack
  extends Pick<LocalStack, 'apiUrl' | 'brokerUrl' | 'bridgeUrl' | 'token'> {
  readonly database: Pick<LocalStack['database'], 'reach'>;
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

const ended = ['done', 'failed', 'cancelled'];

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
): Promise<WebhookStack & { readonly pid: number; kill(): Promise<void> }> {
  const complete = completed(input);
  const program = await programFile('webhook-stack-process');
  const child = spawn(process.execPath, [program, JSON.stringify(complete)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  await until(() => output.endsWith('\n') || child.exitCode !== null);
  if (child.exitCode !== null) throw new Error('the stack did not start');
  const stack = await opened(JSON.parse(output), complete.folder, () => ending(child, 'SIGTERM'));
  return { ...stack, pid: child.pid ?? 0, kill: () => ending(child, 'SIGKILL') };
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
  stack: Omit<LocalStack, 'stop' | 'database'> & Pick<WebhookStack, 'database'>,
  folder: string,
  stop: () => Promise<void>,
): Promise<WebhookStack> {
  const { apiUrl, brokerUrl, bridgeUrl, database, token } = stack;
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
    ...{ apiUrl, brokerUrl, bridgeUrl, database, token, folder },
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
