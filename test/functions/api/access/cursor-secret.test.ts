import { beforeAll, expect, test } from 'vitest';
import { secretInTable } from '../../../../functions/api/access/cursor-secret.ts';
import { createCursors } from '../../../../functions/api/interface/cursor.ts';
import { clientWithout, startTable, type TestTable } from '../../../support/table.ts';

let table: TestTable;
beforeAll(async () => {
  table = await startTable();
  return () => table.close();
});

test('instances that start at once have one secret, and later ones the same', async () => {
  const instances = Array.from({ length: 5 }, () => secretInTable(table));
  const secrets = new Set(await Promise.all(instances.map((secret) => secret())));
  expect(secrets.size).toBe(1);
  expect([...secrets][0]?.length).toBeGreaterThanOrEqual(43);
  expect(secrets.has(await secretInTable(table)())).toBe(true);
  const [one, other] = [createCursors(secretInTable(table)), createCursors(secretInTable(table))];
  expect(await other.decode('list', await one.encode('list', 'key'))).toBe('key');
});

test('a table that does not answer is asked again', async () => {
  let isAway = true;
  const away = clientWithout(table, 'GetItemCommand');
  const client = {
    send: (command: never) => (isAway ? away : table.client).send(command),
  } as unknown as TestTable['client'];
  const secret = secretInTable({ client, tableName: table.tableName });
  await expect(secret()).rejects.toThrow('no answer');
  isAway = false;
  expect(await secret()).toBe(await secretInTable(table)());
});
