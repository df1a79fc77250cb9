import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bucketOf, hourMs, type SegmentId } from '../../../functions/segments/segment-key.ts';
import {
  getSegments,
  levelItem,
  readBucket,
  readLogHours,
  segmentItem,
} from '../../../functions/segments/stored-segments.ts';
import { ReadBudget } from '../../../functions/table/read-budget.ts';
import { startTable, type TestTable } from '../../support/table.ts';

const hour = 500_000;
const topic = 'rooms/kitchen';
const level = 1;
const bucket = bucketOf(topic, level);
const expiresAt = 2_000_000_000;

let table: TestTable;

const idAt = (offsetMs: number): SegmentId => ({
  level,
  stampMs: hour * hourMs + offsetMs,
  writer: 'abc123',
  sequence: 7,
});
/** The last two of an hour, its first, and one of two hours later. */
const offsets = [-2, -1, 0, 2 * hourMs];

beforeAll(async () => {
  table = await startTable();
  const items = [
    ...offsets.map((offset) =>
      segmentItem(idAt(offset), topic, Buffer.from(`${offset}`), expiresAt),
    ),
    levelItem(level, hour * hourMs, expiresAt),
    levelItem(3, hour * hourMs, expiresAt),
    levelItem(2, 9 * hourMs, expiresAt),
  ];
  for (const Item of items)
    await table.client.send(new PutItemCommand({ TableName: table.tableName, Item }));
});

afterAll(() => table.close());

async function offsetsIn(fromOffset: number, toOffset: number, budget?: ReadBudget) {
  const base = hour * hourMs;
  const range = { afterMs: base + fromOffset, untilMs: base + toOffset };
  const found: string[] = [];
  for await (const { bytes } of readBucket(table, level, bucket, range, { budget }))
    found.push(Buffer.from(bytes).toString());
  return found;
}

test('a bucket is read above a stamp and up to another, over its hours', async () => {
  expect(await offsetsIn(-2, 0)).toEqual(['-1', '0']);
  expect(await offsetsIn(-3, 2 * hourMs)).toEqual(offsets.map(String));
  expect(await offsetsIn(0, 2 * hourMs - 1)).toEqual([]);
});

test('what is read is booked, and is read to its end whatever the budget', async () => {
  const budget = new ReadBudget(0.5);
  expect(await offsetsIn(-3, 2 * hourMs, budget)).toHaveLength(4);
  expect(budget.spent).toBeGreaterThan(0.5);
});

test('segments are found by name, and what is gone is not', async () => {
  const names = [-1, -1, 0, 1].map((offset) => ({ id: idAt(offset), topic }));
  const found = await getSegments(table, names);
  expect(found.map(({ id }) => id.stampMs - hour * hourMs).toSorted()).toEqual([-1, 0]);
  expect(found.find(({ id }) => id.stampMs === idAt(0).stampMs)).toEqual({
    id: idAt(0),
    bytes: expect.objectContaining({}),
  });
  expect(await getSegments(table, [])).toEqual([]);
});

test('the hours and their levels are those that were told, from one on', async () => {
  const told = [
    { hour, level },
    { hour, level: 3 },
  ];
  expect(await readLogHours(table, 0)).toEqual([{ hour: 9, level: 2 }, ...told]);
  expect(await readLogHours(table, hour)).toEqual(told);
  expect(await readLogHours(table, hour + 1)).toEqual([]);
});
