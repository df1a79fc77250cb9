// Messages are deleted: hidden at once in every form and answer, single ones taken away with their chunks, packed ones out
// of the index with its next rewriting.
import { BatchWriteItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createReader } from '../../../../functions/api/messages/reader.ts';
import { createRemoveMessages } from '../../../../functions/api/messages/removal.ts';
import type { Message } from '../../../../functions/contract/message.ts';
import { readManifest } from '../../../../functions/index-runs/manifest-table.ts';
import { mergeRuns } from '../../../../functions/index-runs/merge-runs.ts';
import { lagMs, tick } from '../../../../functions/index-runs/tick.ts';
import { createStore } from '../../../../functions/ingest/storing/message-store.ts';
import { createStoredMessages, timeRange } from '../../../../functions/reading/stored-messages.ts';
import { deletionItem, maxDeletions, readDeletions } from '../../../../functions/table/deletion.ts';
import { messageChunksPartition } from '../../../../functions/table/item.ts';
import { ReadBudget } from '../../../../functions/table/read-budget.ts';
import { message } from '../../../support/messages.ts';
import { putItems, putSegments } from '../../../support/segments.ts';
import { startTable, type TestTable } from '../../../support/table.ts';
import { deleteAll } from '../../../support/table-items.ts';

const startMs = Date.now() - 3_600_000;
const timeOf = (second: number) =>
  new Date(startMs + second * 1000).toISOString().replace('Z', '000Z');

let table: TestTable;
beforeAll(async () => {
  table = await startTable();
});
afterAll(() => table.close());
beforeEach(() => deleteAll(table));

/** Each segment is stored a little later than the one before. */
let stampMs = startMs;
const index = () => tick({ ...table, now: () => stampMs++ + lagMs });

/** Messages of two topics, one a second. */
const messages = Array.from({ length: 20 }, (_, index) =>
  message({ topic: index % 2 === 0 ? 'lamp' : 'door', time: timeOf(index), text: `${index}` }),
);

async function store(form: string, given: readonly Message[]): Promise<void> {
  if (form === 'items') {
    const { client, tableName } = table;
    const { put } = createStore({ client, tableName, retentionDays: 30, writeShards: 3 });
    expect(await put(given, { storage: 'items' })).toEqual([]);
    return;
  }
  for (let start = 0; start < given.length; start += 4)
    await putSegments(table, given.slice(start, start + 4), { stampMs: stampMs++ });
  if (form === 'indexed') await index();
}

const reader = () => createReader({ ...table, writeShards: 3 });
const remove = () => createRemoveMessages({ ...table, writeShards: 3 });
const textOf = ({ payload }: Message) => Buffer.from(payload).toString();

async function pageOf(topic: string): Promise<string[]> {
  const selection = { topic, order: 'oldest' as const, limit: 100, budget: new ReadBudget() };
  return (await reader().messages(selection)).entries.map(textOf);
}

async function filtered() {
  const selection = { filters: ['#'], limit: 100, isVisible: () => true, budget: new ReadBudget() };
  return {
    topics: (await reader().topics(selection)).entries.map(({ topic }) => topic),
    latest: (await reader().latest(selection)).entries.map(textOf),
  };
}

test('deletions of a topic that touch are one, and there is room for so many', async () => {
  const deletions = async () => (await readDeletions(table, { consistent: true })).of('lamp');
  await remove()({ topic: 'lamp', from: timeOf(4), to: timeOf(8) });
  await remove()({ topic: 'lamp', from: timeOf(8), to: timeOf(10) });
  await remove()({ topic: 'door', from: timeOf(8), to: timeOf(10) });
  await remove()({ topic: 'lamp', from: timeOf(12), to: timeOf(14) });
  expect(await deletions()).toHaveLength(2);
  await remove()({ topic: 'lamp', to: timeOf(14) });
  await remove()({ topic: 'lamp', to: timeOf(14) });
  expect(await deletions()).toEqual([{ topic: 'lamp', to: timeOf(14) }]);
  const others = Array.from({ length: maxDeletions - 2 }, (_, count) =>
    deletionItem({ topic: `lamp-${count}`, to: timeOf(1) }),
  );
  await putItems(table, others);
  expect(await remove()({ topic: 'gate', to: timeOf(60) })).toBeUndefined();
  expect(await remove()({ topic: 'lamp', to: timeOf(60) })).toMatchObject({ isComplete: true });
});

describe.each(['items', 'packed', 'indexed'])('stored as %s', (form) => {
  test('a stretch of a topic goes, and nothing else', async () => {
    await store(form, messages);
    await remove()({ topic: 'lamp', from: timeOf(4), to: timeOf(8) });
    expect(await pageOf('lamp')).toEqual(['0', '2', '8', '10', '12', '14', '16', '18']);
    expect(await pageOf('door')).toHaveLength(10);
    expect(await filtered()).toEqual({ topics: ['door', 'lamp'], latest: ['19', '18'] });
  });

  test('the newest go, and the one before them is the latest', async () => {
    await store(form, messages);
    await remove()({ topic: 'lamp', from: timeOf(15), to: timeOf(60) });
    expect((await filtered()).latest).toEqual(['19', '14']);
  });

  test('a topic goes as a whole, also what is stored of it again', async () => {
    await store(form, messages);
    await remove()({ topic: 'lamp', to: timeOf(60) });
    expect(await pageOf('lamp')).toEqual([]);
    expect(await filtered()).toEqual({ topics: ['door'], latest: ['19'] });
    await store(form, messages);
    expect(await pageOf('lamp')).toEqual([]);
    const later = message({ topic: 'lamp', time: timeOf(61), text: 'later' });
    await store('packed', [later]);
    expect(await pageOf('lamp')).toEqual(['later']);
    expect((await filtered()).topics).toEqual(['door', 'lamp']);
  });
});

test('single messages are taken away with their chunks, as far as the time reaches', async () => {
  const large = message({ topic: 'lamp', time: timeOf(1), text: 'x'.repeat(500_000) });
  await store('items', [large, ...messages]);
  const hurried = createRemoveMessages({ ...table, writeShards: 3, maxMs: 0 });
  let removed = await hurried({ topic: 'lamp', to: timeOf(60) });
  expect(removed).toEqual({ messages: 1, isComplete: false });
  expect(await pageOf('lamp')).toEqual([]);
  let count = removed?.messages ?? 0;
  while (removed?.isComplete === false) {
    removed = await remove()({ topic: 'lamp', to: timeOf(60) });
    count += removed?.messages ?? 0;
  }
  expect(count).toBe(11);
  const { Count } = await table.client.send(
    new QueryCommand({
      TableName: table.tableName,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': { S: messageChunksPartition(large) } },
    }),
  );
  expect(Count).toBe(0);
});

test('a look at many topics that takes long does not see what is deleted meanwhile', async () => {
  await store('packed', messages);
  let nowMs = startMs + 60_000;
  const snapshot = createStoredMessages({ ...table, now: () => nowMs }).snapshot();
  const countOf = async (topic: string) => {
    let count = 0;
    const steps = snapshot.messageSteps(topic, timeRange(undefined, undefined), { maxQueries: 1 });
    for await (const { item } of steps) if (item !== undefined) count++;
    return count;
  };
  expect(await countOf('lamp')).toBe(10);
  await remove()({ topic: 'door', to: timeOf(60) });
  nowMs += 10_001;
  expect(await countOf('door')).toBe(0);
  expect(await countOf('lamp')).toBe(10);
});

test('a table that is too busy to take anything away ends the call in its time', async () => {
  await store('items', messages);
  const client = Object.assign(Object.create(table.client), {
    send: (command: { input: object }) =>
      command instanceof BatchWriteItemCommand
        ? Promise.resolve({ UnprocessedItems: command.input.RequestItems })
        : table.client.send(command as QueryCommand),
  }) as typeof table.client;
  const { tableName } = table;
  const busy = createRemoveMessages({ client, tableName, writeShards: 3, maxMs: 100 });
  expect((await busy({ topic: 'lamp', to: timeOf(60) }))?.isComplete).toBe(false);
  expect(await pageOf('lamp')).toEqual([]);
  expect(await remove()({ topic: 'lamp', to: timeOf(60) })).toEqual({
    messages: 10,
    isComplete: true,
  });
});

test.each([960, 961, 1000, 1001])('a topic of %i bytes', async (bytes) => {
  const topic = 't'.repeat(bytes);
  await store('packed', [message({ topic, time: timeOf(1) })]);
  await remove()({ topic, from: timeOf(0), to: timeOf(60) });
  expect(await pageOf(topic)).toEqual([]);
});

test('the index forgets deleted messages when it is rewritten', async () => {
  await store('indexed', messages.slice(0, 10));
  await store('indexed', messages.slice(10));
  await remove()({ topic: 'lamp', to: timeOf(60) });
  const before = (await readManifest(table)).runs;
  expect(before).toHaveLength(2);
  await mergeRuns({ ...table, now: () => startMs + 60_000, runsOfLevel: 2 });
  const [run] = (await readManifest(table, { consistent: true })).runs;
  expect(run?.references).toBe(before.reduce((sum, { references }) => sum + references, 0) / 2);
  expect(await pageOf('door')).toHaveLength(10);
});
