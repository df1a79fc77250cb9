import { afterAll, beforeAll, expect, test } from 'vitest';
import { lastPacked } from '../../../../functions/ingest/storing/log-look-back.ts';
import { positionItem } from '../../../../functions/segments/stored-segments.ts';
import { message } from '../../../support/messages.ts';
import { putItems, putSegments } from '../../../support/segments.ts';
import { startTable, type TestTable } from '../../../support/table.ts';

const stampMs = 1_900_000_000_000;
const source = 'mqtt://broker/session';

let table: TestTable;
beforeAll(async () => {
  table = await startTable();
});
afterAll(() => table.close());

test('of much that a source has sent, the newest is held', async () => {
  const at = (second: number) =>
    message({
      source,
      topic: 'lamp',
      id: `m-${second}`,
      time: `2030-03-17T17:46:${String(second).padStart(2, '0')}.000000Z`,
      payload: Buffer.alloc(1000),
    });
  await putItems(table, [positionItem(source, stampMs, stampMs)]);
  for (let second = 0; second < 20; second += 2)
    await putSegments(table, [at(second), at(second + 1)], { stampMs: stampMs + second });
  const idsWithin = async (maxBytes: number) => {
    const limits = { concurrency: 2, maxMessages: 100, maxBytes };
    const found = await lastPacked(table, source, new Set(['lamp']), limits);
    return found.map(({ id }) => id).sort((a, b) => Number(b.slice(2)) - Number(a.slice(2)));
  };
  expect(await idsWithin(1e6)).toHaveLength(20);
  const few = await idsWithin(8000);
  expect(few.slice(0, 3)).toEqual(['m-19', 'm-18', 'm-17']);
  expect(few.length).toBeLessThan(8);
});
