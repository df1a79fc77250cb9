// The embedded database as a place to keep things: over a restart, until they expire, and on a disk that is full.
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  BatchWriteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
} from '@aws-sdk/client-dynamodb';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Database } from '../../../infra/database/database.ts';
import type { Item } from '../../../infra/database/values/attribute-values.ts';
import { createMessagesTable } from '../../../infra/local/database.ts';
import { fc } from '../../support/property.ts';
import { canMount, makeReadOnly, mountSmallDisk } from '../../support/small-disk.ts';
import { until } from '../../support/wait.ts';
import { type OpenDatabase, openDatabase } from './engines.ts';

const TableName = 'messages';
const key = (pk: string, sk: string) => ({ pk: { S: pk }, sk: { S: sk } });

async function opened(options: Parameters<typeof openDatabase>[0] = {}): Promise<OpenDatabase> {
  const open = await openDatabase(options);
  await createMessagesTable(open.client, TableName);
  return open;
}

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'causeway-database-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function count(client: DynamoDBClient, pk: string): Promise<number> {
  let items = 0;
  let ExclusiveStartKey: Item | undefined;
  do {
    const page = await client.send(
      new QueryCommand({
        TableName,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': { S: pk } },
        Select: 'COUNT',
        ...(ExclusiveStartKey && { ExclusiveStartKey }),
      }),
    );
    items += page.Count ?? 0;
    ExclusiveStartKey = page.LastEvaluatedKey;
  } while (ExclusiveStartKey !== undefined);
  return items;
}

const put = (client: DynamoDBClient, pk: string, sk: string, more: object = {}) =>
  client.send(new PutItemCommand({ TableName, Item: { ...key(pk, sk), ...more } }));

it('what was stored is there after a restart, and nobody else opens it meanwhile', async () => {
  const folder = temporary();
  const first = await opened({ folder });
  await put(first.client, 'a', '1', { n: { N: '1' } });
  await expect(Database.open({ folder })).rejects.toMatchObject({
    cause: { code: 'LEVEL_LOCKED' },
  });
  await first.close();
  const second = await openDatabase({ folder });
  onTestFinished(second.close);
  const { Item } = await second.client.send(new GetItemCommand({ TableName, Key: key('a', '1') }));
  expect(Item).toEqual({ ...key('a', '1'), n: { N: '1' } });
});

it('random writes leave what a plain map would have, over restarts', async () => {
  const folder = temporary();
  const sortKeys = fc
    .constantFrom('', '\0', 'a', 'aa', 'b', '\u00ff', '\uffff', '😀')
    .filter(Boolean);
  const step = fc.record({
    pk: fc.constantFrom('p', 'pp', 'q\0', 'q'),
    sk: sortKeys,
    value: fc.option(fc.string(), { nil: undefined }),
  });
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.boolean(), async (steps, reopens) => {
      const prefix = `${run++}/`;
      const expected = new Map<string, Map<string, string>>();
      const open = await opened({ folder });
      for (const { pk, sk, value } of steps) {
        const partition = expected.get(pk) ?? new Map<string, string>();
        expected.set(pk, partition);
        const Key = key(prefix + pk, sk);
        if (value === undefined) partition.delete(sk);
        else partition.set(sk, value);
        await open.database.call(value === undefined ? 'DeleteItem' : 'PutItem', {
          TableName,
          ...(value === undefined ? { Key } : { Item: { ...Key, value: { S: value } } }),
        });
      }
      if (reopens) await open.close();
      const read = reopens ? await openDatabase({ folder }) : open;
      for (const [pk, partition] of expected) {
        const { Items = [] } = await read.client.send(
          new QueryCommand({
            TableName,
            KeyConditionExpression: 'pk = :pk',
            ExpressionAttributeValues: { ':pk': { S: prefix + pk } },
          }),
        );
        const sorted = [...partition].sort(([a], [b]) =>
          Buffer.compare(Buffer.from(a), Buffer.from(b)),
        );
        expect(Items.map((item) => [item['sk']?.S, item['value']?.S])).toEqual(sorted);
      }
      await read.close();
    }),
    { numRuns: 15 },
  );
});

it.each<[string, string, object]>([
  ['an unknown call', 'TransactWriteItems', {}],
  ['an unknown field', 'PutItem', { TableName, Item: key('a', 'a'), Expected: {} }],
  ['an index', 'Query', { TableName, IndexName: 'i', KeyConditionExpression: 'pk = :pk' }],
  [
    'a path into a document',
    'PutItem',
    { TableName, Item: key('a', 'a'), ConditionExpression: 'attribute_exists(a.b)' },
  ],
  [
    'a function that it does not have',
    'UpdateItem',
    {
      TableName,
      Key: key('a', 'a'),
      UpdateExpression: 'DELETE a :v',
      ExpressionAttributeValues: { ':v': { SS: ['x'] } },
    },
  ],
])('%s is refused, and not answered wrongly', async (_name, call, input) => {
  const open = await opened();
  onTestFinished(open.close);
  await expect(open.database.call(call, input)).rejects.toMatchObject({
    name: 'ValidationException',
    message: expect.stringMatching(/not (supported|known)/),
  });
});

describe('items that have expired', () => {
  const seconds = (ms: number) => ({ N: String(Math.floor(ms / 1000)) });

  it('leave by themselves, others stay, and one that was prolonged stays too', async () => {
    let nowMs = Date.now();
    const open = await opened({ sweepEveryMs: 10, now: () => nowMs });
    onTestFinished(open.close);
    const { client } = open;
    await put(client, 'a', 'gone', { expiresAt: seconds(nowMs + 60_000) });
    await put(client, 'a', 'prolonged', { expiresAt: seconds(nowMs + 60_000) });
    await put(client, 'a', 'prolonged', { expiresAt: seconds(nowMs + 6_000_000) });
    await put(client, 'a', 'later', { expiresAt: seconds(nowMs + 6_000_000) });
    await put(client, 'a', 'never');
    expect(await count(client, 'a')).toBe(4);
    nowMs += 61_000;
    await until(async () => (await count(client, 'a')) === 3);
    nowMs += 6_000_000;
    await until(async () => (await count(client, 'a')) === 1);
    const { Item } = await client.send(new GetItemCommand({ TableName, Key: key('a', 'never') }));
    expect(Item).toBeDefined();
  });

  it('give their room back to the disk', async () => {
    let nowMs = Date.now();
    const open = await opened({ sweepEveryMs: 10, now: () => nowMs });
    onTestFinished(open.close);
    // Bytes that do not compress.
    const payload = () => ({ B: randomBytes(20_000) });
    for (let batch = 0; batch < 64; batch++) {
      const requests = Array.from({ length: 25 }, (_each, n) => ({
        PutRequest: {
          Item: {
            ...key(`p${batch}`, `${n}`),
            payload: payload(),
            expiresAt: seconds(nowMs + 1000),
          },
        },
      }));
      await open.client.send(
        new BatchWriteItemCommand({ RequestItems: { [TableName]: requests } }),
      );
    }
    const bytes = async () => {
      const names = await readdir(open.folder);
      const sizes = names.map((name) =>
        stat(join(open.folder, name)).then(
          ({ size }) => size,
          () => 0,
        ),
      );
      return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
    };
    expect(await bytes()).toBeGreaterThan(30e6);
    nowMs += 10_000;
    await until(async () => (await bytes()) < 10e6, { what: 'room' });
  });
});

describe('a full disk', () => {
  it.skipIf(!canMount)(
    'refuses what it cannot keep, serves what it has, and goes on with room',
    async () => {
      const disk = mountSmallDisk(40);
      const folder = join(disk.folder, 'table');
      mkdirSync(folder);
      const open = await opened({ folder });
      onTestFinished(open.close);
      const { client, database } = open;
      const kept: string[] = [];
      const write = async (sk: string) => {
        const payload = { B: randomBytes(200_000) };
        await put(client, 'a', sk, { payload });
        kept.push(sk);
      };
      await write('first');
      disk.fill(30e6);
      let refusal: unknown;
      for (let n = 0; n < 200 && refusal === undefined; n++)
        await write(`${n}`).catch((error) => {
          refusal = error;
        });
      expect(refusal).toMatchObject({ name: 'InternalServerError', $fault: 'server' });
      expect(database.trouble).toBeDefined();
      await expect(write('still full')).rejects.toMatchObject({ $fault: 'server' });
      expect(await count(client, 'a')).toBe(kept.length);

      disk.free();
      await until(() => database.trouble === undefined, { what: 'room again' });
      await write('again');
      const read = await Promise.all(
        kept.map((sk) => client.send(new GetItemCommand({ TableName, Key: key('a', sk) }))),
      );
      expect(read.every(({ Item }) => Item !== undefined)).toBe(true);
    },
  );
});

it.skipIf(!canMount)(
  'a disk that has become read-only refuses, serves what it has, and goes on once it can be written',
  async () => {
    const open = await opened({ folder: temporary() });
    onTestFinished(open.close);
    const { client, database } = open;
    const kept: string[] = [];
    const write = async (sk: string) => {
      await put(client, 'a', sk, { payload: { B: randomBytes(200_000) } });
      kept.push(sk);
    };
    await write('first');
    const { undo } = makeReadOnly(open.folder);
    let refusal: unknown;
    for (let n = 0; n < 200 && refusal === undefined; n++)
      await write(`${n}`).catch((error) => {
        refusal = error;
      });
    expect(refusal).toMatchObject({ name: 'InternalServerError', $fault: 'server' });
    expect(database.trouble).toMatch(/Read-only/);
    expect(await count(client, 'a')).toBe(kept.length);
    undo();
    await until(() => database.trouble === undefined, { what: 'writing again' });
    await write('again');
    expect(await count(client, 'a')).toBe(kept.length);
  },
);
