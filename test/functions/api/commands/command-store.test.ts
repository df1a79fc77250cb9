// What a list of commands reads of the table.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCommandStore } from '../../../../functions/api/commands/command-store.ts';
import { commandId } from '../../../../functions/table/command-id.ts';
import { ledgerItem } from '../../../../functions/table/command-item.ts';
import { queueItems, queueShardOf } from '../../../../functions/table/queued-command.ts';
import { ReadBudget } from '../../../../functions/table/read-budget.ts';
import { putItems } from '../../../support/segments.ts';
import { startTable, type TestTable } from '../../../support/table.ts';

let table: TestTable;
beforeAll(async () => {
  table = await startTable();
});
afterAll(() => table.close());

const expiresAtSeconds = 4_000_000_000;
const time = '2099-01-31T12:00:00.000Z';

function waiting(topic: string, count: number) {
  const id = commandId(`00000000-0000-7000-8000-${String(count).padStart(12, '0')}`, topic);
  const common = { id, topic, qos: 1, retain: false, deadline: time, awaitsReply: false } as const;
  const payload = Buffer.alloc(60_000);
  const queued = { ...common, payload, properties: {}, expiresAtBroker: false };
  const entry = { ...common, status: 'pending', createdAt: time, history: [] } as const;
  return {
    id,
    items: [...queueItems(queued, expiresAtSeconds), ledgerItem(entry, expiresAtSeconds)],
  };
}

test('large commands that wait: no page reads much more than a request may, and no one is left out', async () => {
  const all = ['a', 'b', 'c', 'd', 'e', 'f'].flatMap((topic) =>
    Array.from({ length: 20 }, (_, count) => waiting(topic, count)),
  );
  expect(new Set(all.map(({ id }) => queueShardOf(id))).size).toBeGreaterThan(3);
  await putItems(
    table,
    all.flatMap(({ items }) => items),
  );
  const store = createCommandStore({ ...table, now: Date.now });
  const found: string[] = [];
  const spent: number[] = [];
  let after: string | undefined;
  do {
    const budget = new ReadBudget(256);
    const selection = { status: 'pending', limit: 100, budget } as const;
    const { entries, next } = await store.list(selection, () => true, after);
    found.push(...entries.map(({ id }) => id));
    spent.push(budget.spent);
    after = next;
  } while (after !== undefined);
  expect(found.toSorted()).toEqual(all.map(({ id }) => id).toSorted());
  // One query of 1 MB may begin below the bound, and the ledger has an item for each.
  expect(Math.max(...spent)).toBeLessThan(3 * 256);
});
