import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createWriter } from '../../../functions/ingest/storing/writer.ts';
import type { Item } from '../../../functions/table/item.ts';
import { readPartition } from '../../../functions/table/partition.ts';
import { ReadBudget } from '../../../functions/table/read-budget.ts';
import { everyEngine, startTable, type TestTable } from '../../support/table.ts';
import { walk } from './walk.ts';

for (const engine of everyEngine) {
  describe.skipIf(!engine.available)(`a partition on ${engine.name}`, () => {
    let table: TestTable;
    const all = Array.from({ length: 20 }, (_, index) => `k${String(index).padStart(2, '0')}`);

    beforeAll(async () => {
      table = await startTable(engine);
      const write = createWriter({ ...table, concurrency: 8, now: Date.now });
      const entries = all.map((sk, index) => {
        const item: Item = { pk: { S: 'p' }, sk: { S: sk }, even: { BOOL: index % 2 === 0 } };
        return { item, bytes: 100, id: sk };
      });
      expect(await write(entries, { deadlineMs: Date.now() + 10_000 })).toEqual([]);
    });
    afterAll(() => table.close());

    test.each([
      [1, false],
      [3, false],
      [1, true],
      [7, true],
    ])(
      'is read to its end by queries of %d, each from where the last stopped',
      async (firstItems, newestFirst) => {
        const met: string[] = [];
        let after: string | undefined;
        for (let parts = 0; parts < 100; parts++) {
          const range = { low: 'k', high: 'l', newestFirst, after };
          const { steps, complete } = await walk(
            readPartition(table, 'p', range, {
              maxQueries: 1,
              firstItems,
              filter: { expression: 'even = :even', values: { ':even': { BOOL: true } } },
            }),
          );
          met.push(...steps.flatMap(({ key, item }) => (item === undefined ? [] : [key])));
          if (complete) break;
          expect(steps.length).toBeGreaterThan(0);
          after = steps.at(-1)?.key;
        }
        const even = all.filter((_, index) => index % 2 === 0);
        expect(met).toEqual(newestFirst ? even.reverse() : even);
      },
    );

    test('reading stops where its budget is spent, and all that it took is booked', async () => {
      const whole = new ReadBudget(1);
      const range = { low: 'k', high: 'l', newestFirst: false };
      const bounds = { maxQueries: 9, firstItems: 1, budget: whole };
      const first = await walk(readPartition(table, 'p', range, { ...bounds, maxItems: 1 }));
      expect([first.steps.length, whole.spent, await whole.mayRead()]).toEqual([1, 0.5, true]);
      const part = whole.unbounded();
      await walk(readPartition(table, 'p', range, { maxQueries: 9, budget: part }));
      expect([part.spent > 0, await part.mayRead()]).toEqual([true, true]);
      expect([whole.spent, await whole.mayRead()]).toEqual([0.5 + part.spent, false]);
      const last = await walk(readPartition(table, 'p', range, bounds));
      expect(last).toEqual({ steps: [], complete: false });
    });

    test('reading stops after a query that its payer does not pay, and makes a step at least', async () => {
      let booked = 0;
      const budget = new ReadBudget(256, {
        book(units) {
          booked += units;
        },
        mayRead: async () => false,
      });
      const range = { low: 'k', high: 'l', newestFirst: false };
      const bounds = { maxQueries: 9, firstItems: 1, budget };
      const read = await walk(readPartition(table, 'p', range, bounds));
      expect([read.steps.length, read.complete, booked]).toEqual([1, false, budget.spent]);
    });

    test('goes on behind a key that no item has, within the range', async () => {
      const read = async (range: { low: string; high: string; after: string }) => {
        const { steps } = await walk(
          readPartition(table, 'p', { ...range, newestFirst: false }, { maxQueries: 9 }),
        );
        return steps.map(({ key }) => key).join(' ');
      };
      expect(await read({ low: 'k03', high: 'k06', after: 'k045' })).toBe('k05 k06');
      expect(await read({ low: 'k03', high: 'k06', after: 'k06' })).toBe('');
      expect(await read({ low: 'k03', high: 'k06', after: 'k07' })).toBe('');
    });
  });
}
