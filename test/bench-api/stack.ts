// What the bench measures: the real `npm start` as a child process, with the parts that a row names.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import mqtt, { type MqttClient } from 'mqtt';
import { cpuMicros, residentMB } from '../bench/process-usage.ts';
import { startMosquitto, temporaryFolder } from '../support/brokers.ts';
import { startDynamoDbLocal } from '../support/dynamodb-local.ts';
import { freePort } from '../support/ports.ts';
import { until } from '../support/wait.ts';

export interface Variant {
  readonly name: string;
  /** Debian's mosquitto (MQTT 5) instead of the embedded broker (MQTT 3.1.1). */
  readonly mosquitto: boolean;
  /** DynamoDB Local in a process of its own instead of the embedded database. */
  readonly dynamoDbLocal: boolean;
  /** Folder that gets a CPU profile of `npm start` at its end. */
  readonly profileFolder?: string | undefined;
}

export interface BenchStack {
  readonly apiUrl: string;
  readonly token: string;
  /** Of the broker, on this machine. */
  readonly brokerPort: number;
  /** CPU time of `npm start` so far. */
  cpuMicros(): number;
  /** Resident memory of `npm start` now. */
  rssMegabytes(): number;
  /** Messages of all routes that have been stored so far. */
  storedMessages(): Promise<number>;
  /** A device on the same broker. */
  device(): Promise<MqttClient>;
  stop(): Promise<void>;
}

export async function startBenchStack(variant: Variant): Promise<BenchStack> {
  const folder = temporaryFolder('bench-api');
  const token = 'a-token-for-the-benchmark';
  const [port, mqttPort] = [await freePort(), await freePort()];
  const broker = variant.mosquitto
    ? await startMosquitto({ settings: ['max_inflight_messages 1000'] })
    : undefined;
  const database = variant.dynamoDbLocal ? await startDynamoDbLocal() : undefined;
  const { profileFolder } = variant;
  const profiling =
    profileFolder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileFolder}`];
  const child = spawn('node', [...profiling, '--import', 'tsx', 'infra/cli/start.ts'], {
    env: {
      ...process.env,
      PORT: String(port),
      MQTT_PORT: String(mqttPort),
      DATA_DIR: folder,
      API_TOKEN: token,
      // The limit on requests is not what is measured.
      REQUESTS_PER_SECOND: '1000000',
      ...(broker !== undefined && { BROKER_URL: broker.url }),
      ...(database !== undefined && { DYNAMODB_ENDPOINT: database.endpoint }),
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const apiUrl = `http://127.0.0.1:${port}`;
  await until(() => isReady(child, apiUrl), { timeoutMs: 60_000, what: 'the stack is ready' });
  const brokerUrl = broker?.url ?? `mqtt://127.0.0.1:${mqttPort}`;
  return {
    apiUrl,
    token,
    brokerPort: broker?.port ?? mqttPort,
    cpuMicros: () => cpuMicros(child.pid ?? 0),
    rssMegabytes: () => residentMB(child.pid ?? 0),
    async storedMessages() {
      const headers = { authorization: `Bearer ${token}` };
      const response = await fetch(`${apiUrl}/v1/routes`, { headers });
      if (!response.ok) throw new Error(`/v1/routes: ${response.status} ${await response.text()}`);
      const { routes } = (await response.json()) as { routes: { deliveredMessages: number }[] };
      return routes.reduce((sum, { deliveredMessages }) => sum + deliveredMessages, 0);
    },
    device: () => mqtt.connectAsync(brokerUrl, { protocolVersion: variant.mosquitto ? 5 : 4 }),
    async stop() {
      child.kill('SIGINT');
      await once(child, 'exit');
      await broker?.stop();
      await database?.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function isReady(child: ChildProcess, apiUrl: string): Promise<boolean> {
  if (child.exitCode !== null) throw new Error('the stack has ended');
  return fetch(`${apiUrl}/readyz`).then(
    ({ ok }) => ok,
    () => false,
  );
}
