// `npm run bench:scale`: what a message costs where 1, 2 and 4 bridges share the connections of a route. On few cores the rate
// is that of the machine; CPU a message tells what more cores would bring.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BridgeConfigInput } from '../../bridge/config/config.ts';
import { createTable, localClient } from '../../infra/local/database.ts';
import { startBenchBroker } from '../bench/broker.ts';
import { buildBridge } from '../bench/causeway.ts';
import { nowMicros, topicFilter } from '../bench/payload.ts';
import { cpuMicros } from '../bench/process-usage.ts';
import { endProcess, runLoader, startCounter, tied } from '../bench/programs.ts';
import { spreadOf } from '../bench/statistics.ts';
import { startDynamoDbLocal } from '../support/dynamodb-local.ts';
import { freePort } from '../support/ports.ts';
import { until } from '../support/wait.ts';

const counts = [1, 2, 4];
const connections = 16;
const rounds = Number(process.env['ROUNDS'] ?? 3);
const messages = 100_000;

interface Figures {
  readonly messagesPerSecond: number;
  readonly cpuMicrosPerMessage: number;
}

const database = await startDynamoDbLocal();
const client = localClient(database.endpoint);

async function measure(file: string, bridges: number): Promise<Figures> {
  const [broker, handler] = [await startBenchBroker(), startCounter('handler')];
  const leaseTable = `leases-${randomUUID()}`;
  await createTable(client, leaseTable);
  const handlerUrl = `http://127.0.0.1:${await handler.listening()}/`;
  const running = await Promise.all(
    Array.from({ length: bridges }, async () => {
      const port = await freePort();
      const config: BridgeConfigInput = {
        broker: { url: broker.url },
        http: { port },
        leaseTable,
        routes: [
          { name: 'store', filter: topicFilter, url: handlerUrl, allowPrivate: true, connections },
        ],
        memoryMiB: 1024,
      };
      const child = tied(
        spawn(process.execPath, [file], {
          env: {
            ...process.env,
            CAUSEWAY_CONFIG: JSON.stringify(config),
            LOG_LEVEL: 'warn',
            AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
            AWS_ENDPOINT_URL_DYNAMODB: database.endpoint,
            AWS_REGION: 'local',
            AWS_ACCESS_KEY_ID: 'local',
            AWS_SECRET_ACCESS_KEY: 'local',
          },
          stdio: ['ignore', 'inherit', 'inherit'],
        }),
      );
      return { child, url: `http://127.0.0.1:${port}/metrics` };
    }),
  );
  try {
    await until(async () => {
      const held = await Promise.all(running.map(({ url }) => activeSessions(url)));
      return held.every((count) => count === connections / bridges);
    });
    const publish = async (count: number) => {
      const { last } = await handler.expect({ messages: count, latencyMs: 0, sampling: false });
      const cpu = () => running.reduce((sum, { child }) => sum + cpuMicros(child.pid ?? 0), 0);
      const [startMicros, before] = [nowMicros(), cpu()];
      await runLoader({ brokerPort: broker.port, messages: count });
      const { lastMicros, messages: arrived } = await last;
      if (arrived < count) throw new Error(`${count - arrived} messages have not come`);
      return {
        messagesPerSecond: count / ((lastMicros - startMicros) / 1e6),
        cpuMicrosPerMessage: (cpu() - before) / count,
      };
    };
    await publish(messages / 2);
    return await publish(messages);
  } finally {
    await Promise.all(running.map(({ child }) => endProcess(child)));
    await handler.stop();
    await broker.stop();
  }
}

async function activeSessions(url: string): Promise<number> {
  const text = await fetch(url).then(
    (response) => response.text(),
    () => '',
  );
  return Number(/^causeway_active_sessions{[^}]*} (\S+)$/m.exec(text)?.[1] ?? 0);
}

const folder = mkdtempSync(join(tmpdir(), 'causeway-bench-scale-'));
try {
  const file = await buildBridge(folder);
  const figures = new Map<number, Figures[]>(counts.map((count) => [count, []]));
  for (let round = 0; round < rounds; round++)
    for (const [count, of] of figures) {
      const figure = await measure(file, count);
      console.error(`${count} bridges: ${JSON.stringify(figure)}`);
      of.push(figure);
    }
  console.log('| bridges | msg/s | µs CPU a message, all bridges |\n| --- | --- | --- |');
  for (const [count, of] of figures) {
    const text = (key: keyof Figures, digits: number) => {
      const { median, min, max } = spreadOf(of.map((each) => each[key]));
      const rounded = (value: number) =>
        Number(value.toFixed(digits)).toLocaleString('en', { minimumFractionDigits: digits });
      return `${rounded(median)} (${rounded(min)}–${rounded(max)})`;
    };
    console.log(
      `| ${count} | ${text('messagesPerSecond', 0)} | ${text('cpuMicrosPerMessage', 1)} |`,
    );
  }
} finally {
  await database.close();
  rmSync(folder, { recursive: true, force: true });
}
process.exit();
