// Benchmark of packed reading: a fleet of 60,000 topics with one message a minute each, 500 a request. What pages, latest and
// topics read in units of DynamoDB, and what the index costs in write units and CPU. One bucket of sixteen is simulated, with
// the segments that it would get: what a page of its topics reads is the same.
import { createReader } from '../../functions/api/messages/reader.ts';
import type { Message } from '../../functions/contract/message.ts';
import { readManifest } from '../../functions/index-runs/manifest-table.ts';
import { mergeRuns } from '../../functions/index-runs/merge-runs.ts';
import { lagMs, tick } from '../../functions/index-runs/tick.ts';
import { encodeSegment } from '../../functions/segments/segment-codec.ts';
import { bucketOf } from '../../functions/segments/segment-key.ts';
import { levelItem, segmentItem } from '../../functions/segments/stored-segments.ts';
import { putBatch } from '../../functions/table/batch-write.ts';
import { itemBytes } from '../../functions/table/chunks.ts';
import type { Item } from '../../functions/table/item.ts';
import { ReadBudget } from '../../functions/table/read-budget.ts';
import { createTable, localClient } from '../../infra/local/database.ts';
import { startDynamoDbLocal } from '../support/dynamodb-local.ts';

const [minutes = 110] = process.argv.slice(2).map(Number);
const level = 2;
const bucket = 0;
const buckets = 16;
const topicCount = 60_000 / buckets;
const requestMs = 500;
const tickMs = 16_000;
const retentionDays = 30;
const startMs = 1_900_000_000_000;
const minuteMs = 60_000;

const topics: string[] = [];
for (let n = 0; topics.length < topicCount; n++) {
  const topic = `site-${n % 20}/line-${n % 7}/sensor-${n}/telemetry`;
  if (bucketOf(topic, level) === bucket) topics.push(topic);
}

const database = await startDynamoDbLocal();
const client = localClient(database.endpoint);
const tableName = 'messages';
await createTable(client, tableName);
const table = { client, tableName };
let written = { log: 0, index: 0 };
client.middlewareStack.add(
  (next) => async (args) => {
    const { input } = args as { input: Record<string, unknown> };
    const requests = (input['RequestItems'] as Record<string, { PutRequest?: { Item: Item } }[]>)?.[
      tableName
    ];
    const items = Array.isArray(requests)
      ? requests.map(({ PutRequest }) => PutRequest?.Item)
      : [input['Item']];
    for (const item of items as (Item | undefined)[]) {
      if (item === undefined) continue;
      const units = Math.ceil(itemBytes(item) / 1024);
      if (item['pk']?.S?.startsWith('index')) written.index += units;
      else written.log += units;
    }
    return next(args);
  },
  { step: 'initialize' },
);

let nowMs = startMs;
const now = () => nowMs;
let sequence = 0;
let messages = 0;

/** What came for this bucket in one request: each topic once a minute. */
function requestAt(ms: number): Message[] {
  const from = Math.floor((((ms - startMs) % minuteMs) / minuteMs) * topicCount);
  const to = Math.floor(((((ms - startMs) % minuteMs) + requestMs) / minuteMs) * topicCount);
  return topics.slice(from, to).map((topic, index) => {
    const count = messages++;
    const time = new Date(ms - requestMs + index * 16).toISOString().replace('Z', '123Z');
    const payload = `{"device":"${topic.split('/')[2]}","sequence":${count},"celsius":${((count * 7919) % 4000) / 100},"humidity":${(count * 31) % 100},"battery":${3 + (count % 100) / 100},"text":"${'x'.repeat(90)}"}`;
    return {
      id: `run-${count}`,
      source: 'mqtt://broker/causeway-store-0',
      topic,
      time,
      payload: Buffer.from(payload),
      qos: 1,
      retain: false,
      packetId: 1 + (count % 65_535),
    };
  });
}

async function put(items: readonly Item[]): Promise<void> {
  const { items: unput, error } = await putBatch(items, {
    ...table,
    now: Date.now,
    deadlineMs: Date.now() + 60_000,
  });
  if (unput.length > 0) throw error ?? new Error('not written');
}

const waiting: Item[] = [];
async function putRequest(): Promise<void> {
  const own = requestAt(nowMs);
  if (own.length === 0) return;
  const id = { level, stampMs: nowMs, writer: 'writer', sequence: sequence++ % 46_656 };
  const expires = Math.floor(nowMs / 1000) + retentionDays * 86_400;
  waiting.push(
    segmentItem(id, own[0]?.topic ?? '', encodeSegment({ retentionDays, messages: own }), expires),
  );
  if (waiting.length === 25) await put(waiting.splice(0));
}

const cpu = { indexer: 0 };
async function index(): Promise<void> {
  const start = process.cpuUsage();
  await tick({ ...table, now });
  while (await mergeRuns({ ...table, now }));
  const { user, system } = process.cpuUsage(start);
  cpu.indexer += user + system;
}

for (let hour = 0; hour <= minutes / 60 + 1; hour++)
  await put([levelItem(level, startMs + hour * 60 * minuteMs, 4_000_000_000)]);
written = { log: 0, index: 0 };
for (let sinceTickMs = 0; nowMs < startMs + minutes * minuteMs; nowMs += requestMs) {
  await putRequest();
  sinceTickMs += requestMs;
  if (sinceTickMs < tickMs) continue;
  sinceTickMs = 0;
  if (waiting.length > 0) await put(waiting.splice(0));
  await index();
}
if (waiting.length > 0) await put(waiting.splice(0));

const reader = createReader({ ...table, now });
async function units(read: (budget: ReadBudget) => Promise<{ entries: readonly unknown[] }>) {
  const budget = new ReadBudget();
  const startedMs = performance.now();
  const { entries } = await read(budget);
  return `${budget.spent} units for ${entries.length}, ${Math.round(performance.now() - startedMs)} ms`;
}
const { runs } = await readManifest(table);
const per = (count: number) => (count / messages).toFixed(4);
console.log(
  `${messages} messages of ${topicCount} topics in ${minutes} minutes; runs by level: ${runs.map((run) => run.level).join(' ')}`,
);
console.log(
  `write units a message: log ${per(written.log)}, index ${per(written.index)}; CPU of the indexer ${(cpu.indexer / messages).toFixed(1)} µs a message; ${Math.round(process.memoryUsage().rss / 2 ** 20)} MB`,
);
const topic = topics[1234] as string;
const page = (selection: { from?: string; to?: string; limit?: number }) =>
  units((budget) => reader.messages({ topic, order: 'newest', limit: 100, ...selection, budget }));
const ago = (ms: number) => new Date(nowMs - ms).toISOString().replace('Z', '000Z');
for (const moment of ['just before a tick', 'just after it']) {
  console.log(moment);
  console.log(`  the newest 100: ${await page({})}`);
  console.log(`  the last ten minutes: ${await page({ from: ago(10 * minuteMs) })}`);
  console.log(
    `  an hour, an hour ago: ${await page({ from: ago(100 * minuteMs), to: ago(40 * minuteMs) })}`,
  );
  console.log(
    `  a topic that is not there: ${await units((budget) => reader.messages({ topic: 'none', order: 'newest', limit: 100, budget }))}`,
  );
  const selection = { filters: ['site-7/#'], limit: 1000, isVisible: () => true };
  console.log(
    `  topics by prefix: ${await units((budget) => reader.topics({ ...selection, budget }))}`,
  );
  console.log(
    `  latest of them: ${await units((budget) => reader.latest({ ...selection, budget }))}`,
  );
  nowMs += lagMs;
  await index();
}
client.destroy();
await database.close();
