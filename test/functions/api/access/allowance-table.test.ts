// What callers have taken, in real tables: instances that take at the same time never take more than the limit.
import { QueryCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { takeInTable } from '../../../../functions/api/access/allowance-table.ts';
import { secretDigest } from '../../../../functions/contract/secret.ts';
import { everyEngine, startTable, type TestTable } from '../../../support/table.ts';

for (const engine of everyEngine) {
  describe.skipIf(!engine.available)(`on ${engine.name}`, () => {
    let table: TestTable;
    beforeAll(async () => {
      table = await startTable(engine);
    });
    afterAll(() => table.close());

    test('shares of a window are taken up to its limit, and expire', async () => {
      const take = takeInTable(table.client, table.tableName);
      const share = { holder: 'commands/token:a', window: 170_000_000, amount: 7, limit: 100 };
      const taken = await Promise.all(Array.from({ length: 20 }, () => take(share)));
      expect(taken.filter((isTaken) => isTaken)).toHaveLength(14);
      expect(await take({ ...share, amount: 3 })).toBe(false);
      expect(await take({ ...share, amount: 2 })).toBe(true);
      expect(await take({ ...share, window: share.window + 1 })).toBe(true);
      expect(await take({ ...share, holder: 'commands/token:b' })).toBe(true);
      const { Items } = await table.client.send(
        new QueryCommand({
          TableName: table.tableName,
          KeyConditionExpression: 'pk = :pk',
          ExpressionAttributeValues: {
            ':pk': { S: `allowance/${secretDigest(share.holder).toString('base64url')}` },
          },
        }),
      );
      expect(Items).toMatchObject([
        { sk: { S: '170000000' }, taken: { N: '100' }, expiresAt: { N: '1700003600' } },
        { taken: { N: '7' } },
      ]);
    });
  });
}
