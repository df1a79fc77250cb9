import { afterAll, beforeAll, expect, test } from 'vitest';
import { createStore } from '../../../functions/ingest/storing/message-store.ts';
import { storedCopies } from '../../../infra/cli/stored-copies.ts';
import { message } from '../../support/messages.ts';
import { startTable, type TestTable } from '../../support/table.ts';

let table: TestTable;
beforeAll(async () => {
  table = await startTable();
});
afterAll(() => table.close());

test('every copy of a message is told, in whichever form', async () => {
  const now = Date.now();
  const store = createStore({ ...table, retentionDays: 30 });
  const request = Array.from({ length: 6 }, (_, index) =>
    message({ topic: 'a', time: new Date(now + index).toISOString().replace('Z', '000Z') }),
  );
  const [first] = request;
  if (first === undefined) throw new Error('no message');
  await store.put(request, { storage: 'packed' });
  expect(await storedCopies(table, 'a', first.id)).toMatchObject([
    { message: { id: first.id, time: first.time }, copies: [{ as: 'segment', messages: 6 }] },
  ]);
  // The same again, alone: an item of its own.
  await store.put([first], { storage: 'packed' });
  expect((await storedCopies(table, 'a', first.id)).map(({ copies }) => copies)).toMatchObject([
    [{ as: 'item', pk: 'm/a' }, { as: 'segment' }],
  ]);
  expect(await storedCopies(table, 'a', 'another')).toEqual([]);
});
