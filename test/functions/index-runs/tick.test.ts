// The indexer against a real table: killed at any of its writes, two at once, far behind, and with nothing to do.
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Message } from '../../../functions/contract/message.ts';
import { readManifest } from '../../../functions/index-runs/manifest-table.ts';
import { mergeRuns } from '../../../functions/index-runs/merge-runs.ts';
import { lagMs, tick } from '../../../functions/index-runs/tick.ts';
import { createStoredMessages } from '../../../functions/reading/stored-messages.ts';
import { messageSortKey } from '../../../functions/table/item.ts';
import { ReadBudget } from '../../../functions/table/read-budget.ts';
import { localClient } from '../../../infra/local/database.ts';
import { message } from '../../support/messages.ts';
import { putItems, putSegments, segmentItems } from '../../support/segments.ts';
import { startTable, type TestTable } from '../../support/table.ts';
import { deleteAll } from '../../support/table-items.ts';

const startMs = 1_900_000_000_000;

let table: TestTable;
let nowMs = startMs;
const now = () => nowMs;

beforeAll(async () => {
  table = await startTable();
});
afterAll(() => table.close());
beforeEach(async () => {
  await deleteAll(table);
  nowMs = startMs;
});

/** A request of two topics, a second later than the one before. */
async function putRequest(): Promise<Message[]> {
  nowMs += 1000;
  const time = new Date(nowMs).toISOString().replace('Z', '000Z');
  const messages = ['a', 'b'].map((topic) => message({ topic, time }));
  await putSegments(table, messages, { stampMs: nowMs, level: 1 });
  return messages;
}

async function keysOf(topic: string, budget?: ReadBudget): Promise<string[]> {
  const keys: string[] = [];
  const range = { low: '0', high: '9', newestFirst: false };
  const reading = createStoredMessages({ ...table, now });
  for await (const { key } of reading.messageSteps(topic, range, { maxQueries: 9, budget }))
    keys.push(key);
  return keys;
}

const keys = (messages: readonly Message[], topic = 'a') =>
  messages.filter((one) => one.topic === topic).map(messageSortKey);

/** A client whose writes fail from the `count`th on; that one is done, and its answer lost, where `isDone`. */
function dyingClient(count: number, isDone: boolean): { client: DynamoDBClient; died(): boolean } {
  const client = localClient(table.endpoint);
  let writes = 0;
  client.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        if (!/Write|Put/.test(commandName ?? '')) return next(args);
        writes++;
        if (writes > count || (writes === count && !isDone)) throw new Error('killed');
        const answer = await next(args);
        if (writes === count) throw new Error('killed');
        return answer;
      },
    { step: 'initialize' },
  );
  return { client, died: () => writes >= count };
}

describe('killed at any of its writes', () => {
  test.each([false, true])('the write done: %s', async (isDone) => {
    const stored: Message[] = [];
    for (let requests = 0; requests < 3; requests++) {
      stored.push(...(await putRequest()));
      nowMs += lagMs;
      await tick({ ...table, now });
    }
    for (let count = 1; ; count++) {
      stored.push(...(await putRequest()));
      nowMs += lagMs;
      const { client, died } = dyingClient(count, isDone);
      const options = { ...table, client, now, runsOfLevel: 3 };
      await tick(options).catch(() => {});
      await mergeRuns(options).catch(() => {});
      expect(await keysOf('a')).toEqual(keys(stored));
      await tick({ ...table, now });
      await mergeRuns({ ...options, client: table.client });
      expect(await keysOf('b')).toEqual(keys(stored, 'b'));
      if (!died()) break;
    }
    const { runs } = await readManifest(table, { consistent: true });
    expect(runs.length).toBeLessThan(6);
  });
});

test('of two at once one wins, and all is there once', async () => {
  const stored: Message[] = [];
  for (let round = 0; round < 4; round++) {
    stored.push(...(await putRequest()));
    nowMs += lagMs;
    await Promise.all([tick({ ...table, now }), tick({ ...table, now })]);
    const both = { ...table, now, runsOfLevel: 2 };
    await Promise.all([mergeRuns(both), mergeRuns(both)]);
    expect(await keysOf('a')).toEqual(keys(stored));
  }
  const { runs } = await readManifest(table, { consistent: true });
  expect(runs.reduce((sum, { references }) => sum + references, 0)).toBe(stored.length);
});

test('nothing is written where nothing came, and what is too new waits', async () => {
  const { client, died } = dyingClient(1, true);
  const idle = { isBehind: false, segments: 0, references: 0 };
  expect(await tick({ ...table, client, now })).toMatchObject(idle);
  await putRequest();
  expect(await tick({ ...table, client, now })).toMatchObject(idle);
  nowMs += lagMs;
  expect(await tick({ ...table, now })).toMatchObject({ isBehind: false, segments: 2 });
  nowMs += 3_600_000;
  expect(await tick({ ...table, client, now })).toMatchObject(idle);
  expect(died()).toBe(false);
});

test('what is far behind is indexed in parts that fit the memory, over empty days', async () => {
  const stored: Message[] = [];
  for (const days of [0, 0, 3, 0.5]) {
    nowMs += days * 86_400_000;
    for (let count = 0; count < 5; count++) stored.push(...(await putRequest()));
  }
  nowMs += lagMs;
  let ticks = 0;
  for (let isBehind = true; isBehind; ticks++) {
    const done = await tick({ ...table, now, maxReferences: 6 });
    expect(done.references).toBeLessThanOrEqual(6);
    ({ isBehind } = done);
  }
  expect(ticks).toBeGreaterThan(3);
  expect(await keysOf('a')).toEqual(keys(stored));
  const { untilMs } = await readManifest(table);
  expect(untilMs).toBe(nowMs - lagMs);
});

test('a segment that cannot be read is told, and stops no other', async () => {
  const stored = await putRequest();
  const [hour, segment] = segmentItems([message({ topic: 'a' })], { stampMs: nowMs }) as [
    Record<string, never>,
    Record<string, unknown>,
  ];
  await putItems(table, [hour, { ...segment, bytes: { B: Buffer.of(1, 2, 3) } } as never]);
  nowMs += lagMs;
  expect(await tick({ ...table, now })).toMatchObject({ unreadable: 1, references: 2 });
  expect(await keysOf('a')).toEqual(keys(stored));
});

test('a page of a topic reads few runs, however many ticks there were', async () => {
  for (let count = 0; count < 60; count++) {
    await putRequest();
    nowMs += lagMs;
    await tick({ ...table, now });
    while (await mergeRuns({ ...table, now }));
  }
  const { runs } = await readManifest(table, { consistent: true });
  expect(runs.map(({ level }) => level)).toEqual([1, 1, 1, 1, 1, 1]);
  const budget = new ReadBudget();
  expect(await keysOf('a', budget)).toHaveLength(60);
  // Manifest, hours, the empty tail and singles, six runs, and a segment for each message.
  expect(budget.spent).toBeLessThanOrEqual(4 + 6 + 30);
});
