// Benchmark of the ingest function alone: CPU per message, and what a million messages are billed as.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createReceiptClock } from '../../bridge/session/identity.ts';
import { encodeBatch, envelopeBatchType } from '../../functions/contract/envelope.ts';
import type { Message } from '../../functions/contract/message.ts';
import { createIngest } from '../../functions/ingest/app.ts';
import { createClient } from '../../functions/ingest/client.ts';
import { createStore } from '../../functions/ingest/store.ts';
import type { Billed } from './stub.ts';

const batchSize = 500;
const payloadBytes = 200;
const topics = 1000;
const rounds = 5;
const warmUpRounds = 3;
const batchesOfRound = 40;
/** Rate of the billed traffic, on which the share of the topic registry depends. */
const messagesPerSecond = 1000;

async function startStub(...args: string[]) {
  const stub = fork(fileURLToPath(new URL('./stub.ts', import.meta.url)), args);
  const [port] = (await once(stub, 'message')) as [number];
  const client = createClient({
    endpoint: `http://127.0.0.1:${port}`,
    region: 'local',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  return {
    client,
    async billed(): Promise<Billed> {
      stub.send('counts');
      const [counts] = (await once(stub, 'message')) as [Billed];
      return counts;
    },
    async stop() {
      client.destroy();
      stub.disconnect();
      await once(stub, 'exit');
    },
  };
}

/** Bodies of requests as the bridge sends them, of a JSON payload of 200 bytes over 1,000 topics. */
function createBodies(now: () => number): () => string {
  const nextTime = createReceiptClock(now);
  let number = 0;
  const message = (): Message => {
    number++;
    const head = `{"device":"sensor-${number % topics}","sequence":${number},"text":"`;
    return {
      id: `0190a1b2-c3d4-7e5f-8a6b-${String(number).padStart(12, '0')}`,
      source: 'mqtt://broker.example.com:8883/causeway-store-0',
      topic: `site/north/sensor-${number % topics}/reading`,
      time: nextTime(),
      payload: Buffer.from(`${head}${'x'.repeat(payloadBytes - head.length - 2)}"}`),
      qos: 1,
      retain: false,
      packetId: 1 + (number % 65_535),
    };
  };
  return () => encodeBatch(Array.from({ length: batchSize }, message)).toString();
}

async function post(app: ReturnType<typeof createIngest>, body: string): Promise<void> {
  const response = await app.request('/', {
    method: 'POST',
    body,
    headers: {
      'content-type': envelopeBatchType,
      'content-length': String(Buffer.byteLength(body)),
    },
  });
  const text = await response.text();
  if (text !== '{"batchItemFailures":[]}') throw new Error(`${response.status} ${text}`);
}

async function measureCpu(): Promise<number[]> {
  const stub = await startStub();
  const store = createStore({ client: stub.client, tableName: 'messages', retentionDays: 30 });
  const app = createIngest({ store });
  const nextBody = createBodies(Date.now);
  const bodies = Array.from({ length: batchesOfRound }, nextBody);
  const results: number[] = [];
  for (let round = 0; round < warmUpRounds + rounds; round++) {
    const start = process.cpuUsage();
    for (const body of bodies) await post(app, body);
    const { user, system } = process.cpuUsage(start);
    if (round >= warmUpRounds) results.push((user + system) / (batchesOfRound * batchSize));
  }
  await stub.stop();
  return results.sort((a, b) => a - b);
}

/** One minute of traffic. */
async function measureBilled(): Promise<Billed & { requests: number; messages: number }> {
  const stub = await startStub('--count');
  const messages = 60 * messagesPerSecond;
  let sent = 0;
  const now = () => Date.UTC(2026, 0, 1) + (sent * 1000) / messagesPerSecond;
  const { client } = stub;
  const store = createStore({ client, tableName: 'messages', retentionDays: 30, now });
  const app = createIngest({ store, now });
  const nextBody = createBodies(now);
  for (; sent < messages; sent += batchSize) await post(app, nextBody());
  const counts = await stub.billed();
  await stub.stop();
  return { ...counts, requests: messages / batchSize, messages };
}

const cpu = await measureCpu();
const median = cpu[Math.floor(cpu.length / 2)] ?? Number.NaN;
console.log(
  `ingest alone, batches of ${batchSize}, JSON payloads of ${payloadBytes} bytes, node ${process.version}`,
);
console.log(
  `CPU: ${median.toFixed(1)} µs a message (${cpu.map((value) => value.toFixed(1)).join(', ')})`,
);
const { messages, requests, calls, items, writeUnits } = await measureBilled();
const perMillion = (count: number) => Math.round((count * 1e6) / messages).toLocaleString('en');
console.log(
  `a million messages over ${topics} topics at ${messagesPerSecond} a second are billed as`,
);
console.log(`  ${perMillion(requests)} requests to the function`);
console.log(
  `  ${perMillion(writeUnits)} write units, in ${perMillion(calls)} calls of the database`,
);
console.log(`    of which ${perMillion(items - messages)} are for the registry of topics`);
