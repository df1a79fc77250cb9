import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Message } from '../../../../functions/contract/message.ts';
import { createStore } from '../../../../functions/ingest/storing/message-store.ts';
import { message } from '../../../support/messages.ts';
import { allItems, everySetting, messagesIn } from '../../../support/stored.ts';
import { startTable, type TestTable } from '../../../support/table.ts';

for (const { engine, storage, name } of everySetting) {
  describe.skipIf(!engine.available)(name, () => {
    let table: TestTable;
    beforeAll(async () => {
      table = await startTable(engine);
    });
    afterAll(() => table.close());

    const storeIn = (tableName: string) => {
      const store = createStore({ client: table.client, tableName, retentionDays: 30 });
      return {
        ...store,
        put: (messages: readonly Message[]) => store.put(messages, { storage }),
      };
    };
    const storeOf = () => storeIn(table.tableName);

    async function storedIds(): Promise<string[]> {
      return messagesIn(await allItems(table)).map(({ id }) => id);
    }

    test('stores more messages than one call takes', async () => {
      const messages = Array.from({ length: 60 }, (_, index) =>
        message({ topic: `many/${index % 7}` }),
      );
      expect(await storeOf().put(messages)).toEqual([]);
      expect(await storedIds()).toEqual(expect.arrayContaining(messages.map(({ id }) => id)));
    });

    test('says whether it can write, and leaves no message behind', async () => {
      const before = await storedIds();
      expect(await storeOf().canWrite()).toBe(true);
      expect(await storedIds()).toEqual(before);
      expect(await storeIn('no-such-table').canWrite()).toBe(false);
    });

    test('a second copy lands on the same item, also within one batch', async () => {
      const twin = message({ id: 'twin' });
      const others = Array.from({ length: 5 }, () => message());
      expect(await storeOf().put([twin, ...others, twin])).toEqual([]);
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
      const others = Array.from({ length: 5 }, () => message());
      expect(await storeOf().put([first, good, second, ...others])).toMatchObject([
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

    test('what cannot be packed is stored beside what can', async () => {
      const large = message({ payload: Buffer.alloc(40 * 1024, 'x') });
      const messages = [...Array.from({ length: 20 }, () => message()), large];
      expect(await storeOf().put(messages)).toEqual([]);
      expect(await storedIds()).toEqual(expect.arrayContaining(messages.map(({ id }) => id)));
    });

    test('a table that is missing fails every message, to be tried again', async () => {
      const messages = [message(), message(), message(), message()];
      expect(await storeIn('missing').put(messages)).toEqual(
        messages.map(({ id }) => ({
          itemIdentifier: id,
          reason: 'ResourceNotFoundException',
          retryable: true,
        })),
      );
    });
  });
}
