import { afterAll, beforeAll, expect, test } from 'vitest';
import { lagMs, tick } from '../../../functions/index-runs/tick.ts';
import { openLogView, TailTooLong } from '../../../functions/reading/log-view.ts';
import { ReadBudget } from '../../../functions/table/read-budget.ts';
import { message } from '../../support/messages.ts';
import { putSegments } from '../../support/segments.ts';
import { startTable, type TestTable } from '../../support/table.ts';

const stampMs = 1_900_000_000_000;

let table: TestTable;
beforeAll(async () => {
  table = await startTable();
});
afterAll(() => table.close());

test('a tail that does not fit is told as such, until the index has caught up', async () => {
  for (let count = 0; count < 10; count++)
    await putSegments(table, [message({ topic: 'lamp' })], { stampMs: stampMs + count });
  const tailOf = async (maxBytes?: number) =>
    (await (await openLogView(table, undefined, maxBytes)).tailOf('lamp')).length;
  expect(await tailOf()).toBe(10);
  await expect(tailOf(500)).rejects.toThrow(TailTooLong);
  await expect((await openLogView(table, undefined, 500)).tailTopics()).rejects.toThrow(
    TailTooLong,
  );
  const full = new ReadBudget(256, { book() {}, mayRead: async () => true, mayHold: () => false });
  const beside = openLogView(table, full.unbounded());
  await expect((await beside).tailOf('lamp')).rejects.toThrow(TailTooLong);
  await tick({ ...table, now: () => stampMs + 9 + lagMs });
  expect(await tailOf(500)).toBe(0);
});
