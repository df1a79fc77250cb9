import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  DeleteItemCommand,
  paginateQuery,
  ScanCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { folderDeadLetters } from '../../../bridge/dead-letters/dead-letter-store.ts';
import { findInTable, tableDeadLetters } from '../../../bridge/dead-letters/dead-letter-table.ts';
import { createDeadLetters } from '../../../functions/api/dead-letters/dead-letter-store.ts';
import { decodeEnvelope, envelopeSchema } from '../../../functions/contract/envelope-decoding.ts';
import {
  chunkPartition,
  type DeadLetter,
  deadLetterEnvelope,
  deadLetterId,
  deadLetterKey,
  deadLetterPartition,
} from '../../../functions/table/dead-letter.ts';
import type { Item } from '../../../functions/table/item.ts';
import { ReadBudget } from '../../../functions/table/read-budget.ts';
import { temporaryFolder } from '../../support/brokers.ts';
import { message } from '../../support/messages.ts';
import { startTable, type TestTable } from '../../support/table.ts';

let table: TestTable;
beforeAll(async () => {
  table = await startTable();
});
afterAll(() => table.close());

const letter = (
  payload: Buffer,
  { route = 'store', topic = 'rooms/kitchen', time = new Date().toISOString() } = {},
): DeadLetter => ({
  route,
  reason: 'the handler answered 422',
  attempts: 3,
  quarantinedAt: '2026-01-01T00:00:00.000Z',
  message: message({ payload, topic, time: time.replace('Z', '000Z') }),
});

const few = { retentionDays: 100, maxPerTopic: 3 };

async function itemsOf(partition: string): Promise<Item[]> {
  const found: Item[] = [];
  const query = {
    TableName: table.tableName,
    KeyConditionExpression: 'pk = :pk',
    ExpressionAttributeValues: { ':pk': { S: partition } },
  };
  // A page of a query ends at 1 MB.
  for await (const { Items = [] } of paginateQuery({ client: table.client }, query))
    found.push(...Items);
  return found;
}

test.each([
  ['small', Buffer.from([0xff, 0x00, 0x01])],
  ['of 2 MB', Buffer.alloc(2 * 1024 * 1024, 0xfe)],
])('the table keeps a payload %s byte for byte, once', async (_, payload) => {
  const given = letter(payload);
  const deadLetters = tableDeadLetters(table.tableName, table.client);
  await deadLetters.put(given);
  await deadLetters.put(given);
  const [item, ...others] = (await itemsOf(deadLetterPartition)).filter(({ sk }) =>
    sk?.S?.endsWith(given.message.id),
  );
  expect(others).toEqual([]);
  expect(item).toMatchObject({
    route: { S: 'store' },
    reason: { S: given.reason },
    attempts: { N: '3' },
  });
  const text = deadLetterEnvelope(item ?? {}, await itemsOf(chunkPartition(given)));
  const back = decodeEnvelope(envelopeSchema.parse(JSON.parse(text)));
  expect(Buffer.from(back.payload).equals(payload)).toBe(true);
});

test('dead letters are counted, not the parts of large ones', async () => {
  const other = await startTable();
  onTestFinished(() => other.close());
  const kept = tableDeadLetters(other.tableName, other.client);
  expect(await kept.count()).toBe(0);
  await kept.put(letter(Buffer.from('x')));
  await kept.put(letter(Buffer.alloc(1024 * 1024)));
  expect(await kept.count()).toBe(2);
});

test('a table that is missing rejects: the message is kept elsewhere until it is there', async () => {
  await expect(
    tableDeadLetters('missing', table.client).put(letter(Buffer.from('x'))),
  ).rejects.toThrow();
});

test('the folder keeps one readable file for each dead letter', async () => {
  const folder = join(temporaryFolder('quarantine'), 'deep');
  const deadLetters = folderDeadLetters(folder);
  const given = letter(Buffer.from('hello'));
  expect(await deadLetters.count()).toBe(0);
  await deadLetters.put(given);
  await deadLetters.put(given);
  await deadLetters.put(letter(Buffer.from('other')));
  const files = readdirSync(folder);
  expect(files).toHaveLength(2);
  expect(await deadLetters.count()).toBe(2);
  const texts = files.map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')));
  expect(texts.find(({ envelope }) => envelope.id === given.message.id)).toMatchObject({
    route: 'store',
    reason: given.reason,
    attempts: 3,
    envelope: { data: 'hello' },
  });
});

/** Payloads in parts of sizes that fit nothing: not base64, not a chunk. */
const partSizes = [1, 2, 70_001, 0, 350 * 1024, 131_072, 5];
const streamedBytes = patterned(partSizes.reduce((sum, size) => sum + size, 0));

function patterned(length: number): Buffer {
  return Buffer.concat(
    Array.from({ length: Math.ceil(length / 32) }, (_, index) =>
      createHash('sha256').update(String(index)).digest(),
    ),
  ).subarray(0, length);
}

async function* inParts(breaksAfter = partSizes.length) {
  let at = 0;
  for (const size of partSizes.slice(0, breaksAfter)) {
    yield streamedBytes.subarray(at, at + size);
    at += size;
  }
  if (breaksAfter < partSizes.length) throw new Error('the connection ended');
}

const streamed = (breaksAfter?: number) => ({
  ...letter(Buffer.alloc(0)),
  payload: inParts(breaksAfter),
  payloadBytes: streamedBytes.length,
});

test('a payload that comes in parts is kept byte for byte: in the table', async () => {
  const given = streamed();
  await tableDeadLetters(table.tableName, table.client).put(given);
  const [item] = (await itemsOf(deadLetterPartition)).filter(({ sk }) =>
    sk?.S?.endsWith(given.message.id),
  );
  expect(item).toMatchObject({ bytes: { N: String(streamedBytes.length) } });
  const text = deadLetterEnvelope(item ?? {}, await itemsOf(chunkPartition(given)));
  const back = decodeEnvelope(envelopeSchema.parse(JSON.parse(text)));
  expect(Buffer.from(back.payload).equals(streamedBytes)).toBe(true);
});

test('a payload that comes in parts is kept byte for byte: in the folder', async () => {
  const folder = temporaryFolder('quarantine');
  await folderDeadLetters(folder).put(streamed());
  const [name = ''] = readdirSync(folder);
  const { envelope, reason } = JSON.parse(readFileSync(join(folder, name), 'utf8'));
  expect(reason).toBe('the handler answered 422');
  const back = decodeEnvelope(envelopeSchema.parse(envelope));
  expect(Buffer.from(back.payload).equals(streamedBytes)).toBe(true);
});

test('of one that breaks off nothing is left', async () => {
  const folder = temporaryFolder('quarantine');
  await expect(folderDeadLetters(folder).put(streamed(5))).rejects.toThrow('the connection ended');
  expect(readdirSync(folder)).toEqual([]);
  const given = streamed(6);
  await expect(tableDeadLetters(table.tableName, table.client).put(given)).rejects.toThrow();
  expect(await itemsOf(chunkPartition(given))).toEqual([]);
  const all = await itemsOf(deadLetterPartition);
  expect(all.filter(({ sk }) => sk?.S?.endsWith(given.message.id))).toEqual([]);
});
test('of a topic in a route the newest are kept; another topic and another route have places of their own', async () => {
  const other = await startTable();
  onTestFinished(() => other.close());
  const folder = temporaryFolder('quarantine');
  const large = letter(Buffer.alloc(1024 * 1024));
  for (const deadLetters of [
    tableDeadLetters(other.tableName, other.client, few),
    folderDeadLetters(folder, few),
  ]) {
    const elsewhere = [
      letter(Buffer.from('x'), { topic: 'rooms/hall' }),
      letter(Buffer.from('x'), { route: 'hook' }),
    ];
    for (const each of elsewhere) expect(await deadLetters.put(each)).toBeUndefined();
    expect(await deadLetters.put(large)).toBeUndefined();
    for (let index = 0; index < 2; index++)
      expect(await deadLetters.put(letter(Buffer.from(String(index))))).toBeUndefined();
    expect(await deadLetters.count()).toBe(5);
    for (let index = 0; index < 10; index++)
      expect(await deadLetters.put(letter(Buffer.from(String(index))))).toBeDefined();
    expect(await deadLetters.count()).toBe(5);
  }
  const items = await scanned(other);
  const keysOf = (partition: string) => items.filter(({ pk }) => pk?.S === partition);
  expect(keysOf(chunkPartition(large))).toEqual([]);
  // All of it goes at the end, the places too.
  const endsAt = Date.now() / 1000 + 100 * 86_400;
  for (const { expiresAt } of items)
    expect(Math.abs(Number(expiresAt?.N) - endsAt)).toBeLessThan(60);
  // A bridge that starts again knows what the folder holds.
  const again = folderDeadLetters(folder, few);
  expect(await again.put(letter(Buffer.from('new')))).toBeDefined();
  expect(await again.count()).toBe(5);
});

test('the same dead letter again displaces nothing, and one that somebody deleted is no loss', async () => {
  const other = await startTable();
  onTestFinished(() => other.close());
  const one = { ...few, maxPerTopic: 1 };
  for (const deadLetters of [
    tableDeadLetters(other.tableName, other.client, one),
    folderDeadLetters(temporaryFolder('quarantine'), one),
  ]) {
    const given = letter(Buffer.from('x'));
    for (let tries = 0; tries < 3; tries++) expect(await deadLetters.put(given)).toBeUndefined();
    expect(await deadLetters.count()).toBe(1);
  }
  const [item] = (await scanned(other)).filter(({ pk }) => pk?.S === deadLetterPartition);
  await other.client.send(
    new DeleteItemCommand({
      TableName: other.tableName,
      Key: { pk: item?.['pk'] ?? { S: '' }, sk: item?.['sk'] ?? { S: '' } },
    }),
  );
  const deadLetters = tableDeadLetters(other.tableName, other.client, one);
  expect(await deadLetters.put(letter(Buffer.from('y')))).toBeUndefined();
});

test('what has expired is not counted and not found; what was kept before there was an expiry is', async () => {
  const other = await startTable();
  onTestFinished(() => other.close());
  const deadLetters = tableDeadLetters(other.tableName, other.client);
  const [expired, lasting] = [letter(Buffer.from('x')), letter(Buffer.from('y'))];
  for (const each of [expired, lasting]) await deadLetters.put(each);
  const set = (id: string, expression: string, now?: number) =>
    other.client.send(
      new UpdateItemCommand({
        TableName: other.tableName,
        Key: deadLetterKey(id),
        UpdateExpression: expression,
        ...(now !== undefined && { ExpressionAttributeValues: { ':now': { N: String(now) } } }),
      }),
    );
  await set(deadLetterId(expired), 'SET expiresAt = :now', Math.floor(Date.now() / 1000) - 10);
  await set(deadLetterId(lasting), 'REMOVE expiresAt');
  expect(await deadLetters.count()).toBe(1);
  const find = findInTable(other.tableName, other.client);
  expect(await find(deadLetterId(expired))).toBeUndefined();
  expect(await find(deadLetterId(lasting))).toBeDefined();
  const letters = createDeadLetters({
    client: other.client,
    tableName: other.tableName,
    replay: async () => ({ ok: true }),
  });
  const page = await letters.list({ limit: 10, isVisible: () => true, budget: new ReadBudget() });
  expect(page.entries.map(({ id, expiresAt }) => [id, expiresAt])).toEqual([
    [deadLetterId(lasting), undefined],
  ]);
  expect(await letters.find(deadLetterId(expired), new ReadBudget())).toBeUndefined();
  // The folder goes by the time of receipt.
  const folder = folderDeadLetters(temporaryFolder('quarantine'), few);
  const dayMs = 86_400_000;
  for (const days of [99, 101]) {
    const time = new Date(Date.now() - days * dayMs).toISOString();
    await folder.put(letter(Buffer.from('x'), { time }));
  }
  expect(await folder.count()).toBe(1);
});

async function scanned({ client, tableName }: TestTable): Promise<Item[]> {
  return (await client.send(new ScanCommand({ TableName: tableName }))).Items ?? [];
}
