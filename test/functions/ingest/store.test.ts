import { ScanCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { messageOf } from '../../../functions/contract/item.ts';
import { createStore } from '../../../functions/ingest/store.ts';
import { message } from '../../support/messages.ts';
import { engines, startTable, type TestTable } from '../../support/table.ts';

for (const engine of engines) {
  describe.skipIf(!engine.available)(`on ${engine.name}`, () => {
    let table: TestTable;
    beforeAll(async () => {
      table = await startTable(engine);
    });
    afterAll(() => table.close());

    const storeOf = () =>
      createStore({ client: table.client, tableName: table.tableName, retentionDays: 30 });

    async function storedIds(): Promise<string[]> {
      const { Items = [] } = await table.client.send(
        new ScanCommand({ TableName: table.tableName }),
      );
      return Items.filter(({ pk }) => pk?.S?.startsWith('m/')).map((item) => messageOf(item).id);
    }

    test('stores more messages than one call takes', async () => {
      const messages = Array.from({ length: 60 }, (_, index) =>
        message({ topic: `many/${index % 7}` }),
      );
      expect(await storeOf().put(messages)).toEqual([]);
      expect(await storedIds()).toEqual(expect.arrayContaining(messages.map(({ id }) => id)));
    });

    test('a second copy lands on the same item, also within one batch', async () => {
      const twin = message({ id: 'twin' });
      expect(await storeOf().put([twin, twin])).toEqual([]);
      expect(await storeOf().put([twin])).toEqual([]);
      expect((await storedIds()).filter((id) => id === 'twin')).toHaveLength(1);
    });

    test('an item that DynamoDB refuses fails alone, for good', async () => {
      // Keys have at most 1,024 bytes; the api and the bridge allow ids of 256.
      const bad = message({ id: 'x'.repeat(1100) });
      const good = Array.from({ length: 5 }, () => message());
      expect(await storeOf().put([...good, bad])).toMatchObject([
        { itemIdentifier: bad.id, retryable: false },
      ]);
      expect(await storedIds()).toEqual(expect.arrayContaining(good.map(({ id }) => id)));
    });

    test('two messages under one key are both refused, and nothing of them is stored', async () => {
      const first = message({ id: 'conflict', text: '1' });
      const second = { ...first, payload: Buffer.from('2') };
      const good = message();
      expect(await storeOf().put([first, good, second])).toMatchObject([
        { itemIdentifier: 'conflict', retryable: false },
      ]);
      expect(await storedIds()).not.toContain('conflict');
      expect(await storedIds()).toContain(good.id);
    });

    test('two messages that share an id alone are two items', async () => {
      const parts = { id: 'shared', topic: 'shared' };
      expect(await storeOf().put([message(parts), message(parts)])).toEqual([]);
      expect((await storedIds()).filter((id) => id === 'shared')).toHaveLength(2);
    });

    test('a table that is missing fails every message, to be tried again', async () => {
      const store = createStore({ client: table.client, tableName: 'missing', retentionDays: 30 });
      const messages = [message(), message()];
      expect(await store.put(messages)).toEqual(
        messages.map(({ id }) => ({
          itemIdentifier: id,
          reason: 'ResourceNotFoundException',
          retryable: true,
        })),
      );
    });
  });
}
