import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { paginateQuery } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { folderQuarantine } from '../../../bridge/quarantine/quarantine.ts';
import { tableQuarantine } from '../../../bridge/quarantine/quarantine-table.ts';
import {
  chunkPartition,
  type DeadLetter,
  deadLetterEnvelope,
  quarantinePartition,
} from '../../../functions/contract/dead-letter.ts';
import { decodeEnvelope, envelopeSchema } from '../../../functions/contract/envelope.ts';
import type { Item } from '../../../functions/contract/item.ts';
import { temporaryFolder } from '../../support/brokers.ts';
import { message } from '../../support/messages.ts';
import { startTable, type TestTable } from '../../support/table.ts';

let table: TestTable;
beforeAll(async () => {
  table = await startTable();
});
afterAll(() => table.close());

const letter = (payload: Buffer): DeadLetter => ({
  route: 'store',
  reason: 'the handler answered 422',
  attempts: 3,
  quarantinedAt: '2026-01-01T00:00:00.000Z',
  message: message({ payload }),
});

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
  const quarantine = tableQuarantine(table.tableName, table.client);
  await quarantine.put(given);
  await quarantine.put(given);
  const [item, ...others] = (await itemsOf(quarantinePartition)).filter(({ sk }) =>
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
  const kept = tableQuarantine(other.tableName, other.client);
  expect(await kept.count()).toBe(0);
  await kept.put(letter(Buffer.from('x')));
  await kept.put(letter(Buffer.alloc(1024 * 1024)));
  expect(await kept.count()).toBe(2);
});

test('a table that is missing rejects: the message is kept elsewhere until it is there', async () => {
  await expect(
    tableQuarantine('missing', table.client).put(letter(Buffer.from('x'))),
  ).rejects.toThrow();
});

test('the folder keeps one readable file for each dead letter', async () => {
  const folder = join(temporaryFolder('quarantine'), 'deep');
  const quarantine = folderQuarantine(folder);
  const given = letter(Buffer.from('hello'));
  expect(await quarantine.count()).toBe(0);
  await quarantine.put(given);
  await quarantine.put(given);
  await quarantine.put(letter(Buffer.from('other')));
  const files = readdirSync(folder);
  expect(files).toHaveLength(2);
  expect(await quarantine.count()).toBe(2);
  const texts = files.map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')));
  expect(texts.find(({ envelope }) => envelope.id === given.message.id)).toMatchObject({
    route: 'store',
    reason: given.reason,
    attempts: 3,
    envelope: { data: 'hello' },
  });
});
