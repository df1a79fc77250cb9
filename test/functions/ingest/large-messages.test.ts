// Messages above DynamoDB's item limit: stored in chunks, read back whole, and never half.
import { randomBytes } from 'node:crypto';
import { type DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createReader } from '../../../functions/api/messages/reader.ts';
import type { Message } from '../../../functions/contract/message.ts';
import { createStore } from '../../../functions/ingest/storing/message-store.ts';
import {
  type Item,
  messageChunksPartition,
  messagePartition,
} from '../../../functions/table/item.ts';
import { ReadBudget } from '../../../functions/table/read-budget.ts';
import { message } from '../../support/messages.ts';
import { packsAll, settings } from '../../support/stored.ts';
import { startTable, type TestTable } from '../../support/table.ts';
import { clientHoldingBack } from './holding-back.ts';

for (const { engine, storage, name } of settings) {
  describe.skipIf(!engine.available)(name, () => {
    let table: TestTable;
    beforeAll(async () => {
      table = await startTable(engine);
    });
    afterAll(() => table.close());

    function storeOf(client: DynamoDBClient = table.client, timeBudgetMs = 10_000) {
      const options = { client, tableName: table.tableName, retentionDays: 30, timeBudgetMs };
      const store = createStore({ ...options, ...packsAll });
      return { put: (messages: readonly Message[]) => store.put(messages, { storage }) };
    }
    const read = (topic: string, limit = 10) =>
      createReader({ client: table.client, tableName: table.tableName }).messages({
        topic,
        order: 'oldest',
        limit,
        budget: new ReadBudget(),
      });

    const kilobytes = (count: number) => randomBytes(count * 1024);

    async function itemsIn(partition: string): Promise<Item[]> {
      const { Items = [] } = await table.client.send(
        new QueryCommand({
          TableName: table.tableName,
          KeyConditionExpression: 'pk = :pk',
          ExpressionAttributeValues: { ':pk': { S: partition } },
          ProjectionExpression: 'sk, expiresAt',
        }),
      );
      return Items;
    }
    const chunksOf = (given: Message) => itemsIn(messageChunksPartition(given));

    /** Items of a message: its own, and its chunks. */
    async function itemsOf(given: Message): Promise<Item[]> {
      return [...(await itemsIn(messagePartition(given.topic))), ...(await chunksOf(given))];
    }

    test('of a topic that writes more than its key takes: only their heads are under it', async () => {
      const topic = 'hot/camera';
      const images = Array.from({ length: 12 }, () => message({ topic, payload: kilobytes(100) }));
      const store = storeOf();
      const chunks: number[] = [];
      for (const image of images) {
        expect(await store.put([image])).toEqual([]);
        chunks.push((await chunksOf(image)).length);
      }
      expect([chunks[0], chunks.at(-1)]).toEqual([0, 1]);
      // A copy of one that was stored whole is the same message still.
      const [first] = images;
      if (first !== undefined) expect(await store.put([first])).toEqual([]);
      const { entries } = await read(topic, 20);
      expect(entries.map(({ id }) => id)).toEqual(images.map(({ id }) => id));
      expect(entries.map(({ payload }) => Buffer.from(payload))).toEqual(
        images.map(({ payload }) => payload),
      );
      const small = message({ topic, text: 'small' });
      await store.put([small]);
      expect(await chunksOf(small)).toEqual([]);
    });

    describe('come back byte for byte:', () => {
      test.each([
        ['256 KB', kilobytes(256)],
        ['399 KB', kilobytes(399)],
        ['401 KB', kilobytes(401)],
        ['6 MB', kilobytes(6 * 1024)],
        ['399 KB of text', Buffer.from('ü'.repeat(399 * 512))],
        ['1 MB of zeros', Buffer.alloc(1024 * 1024)],
      ])('%s', async (name, payload) => {
        const topic = `whole/${name}`;
        const large = message({ topic, payload, properties: { contentType: 'x' } });
        expect(await storeOf().put([large, message({ topic })])).toEqual([]);
        const { entries } = await read(topic);
        expect(Buffer.compare(entries[0]?.payload ?? Buffer.of(), payload)).toBe(0);
        expect(entries[0]?.properties).toEqual({ contentType: 'x' });
      });
    });

    test('a payload of control characters, six bytes each in JSON, is stored in calls that are taken', async () => {
      const messages = Array.from({ length: 11 }, () =>
        message({ topic: 'control', payload: Buffer.alloc(256 * 1024, 1) }),
      );
      expect(await storeOf().put(messages)).toEqual([]);
    });

    test('a second copy lands on the same items, which all expire together', async () => {
      const large = message({ topic: 'copied', payload: kilobytes(900) });
      expect(await storeOf().put([large])).toEqual([]);
      const first = await itemsOf(large);
      expect(await storeOf().put([large, large])).toEqual([]);
      const second = await itemsOf(large);
      expect([first.length, second.length]).toEqual([4, 4]);
      expect(new Set(second.map(({ expiresAt }) => expiresAt?.N)).size).toBe(1);
    });

    test('the item is written only when all its chunks are stored', async () => {
      const large = message({ id: 'partial', topic: 'partial', payload: kilobytes(1200) });
      const small = message({ topic: 'partial' });
      const client = clientHoldingBack(
        table.endpoint,
        ({ pk, sk }) => pk?.S?.startsWith('c/partial') === true && sk?.S === '000002',
      );
      expect(await storeOf(client, 300).put([large, small])).toEqual([
        { itemIdentifier: 'partial', reason: expect.any(String), retryable: true },
      ]);
      expect((await read('partial')).entries.map(({ id }) => id)).toEqual([small.id]);
      // The next attempt of the bridge, when the database is well again.
      expect(await storeOf().put([large])).toEqual([]);
      expect((await read('partial')).entries).toHaveLength(2);
    });

    test('an item that is not written fails its message, though its chunks are stored', async () => {
      const large = message({ id: 'headless', topic: 'headless', payload: kilobytes(500) });
      const client = clientHoldingBack(table.endpoint, ({ pk }) => pk?.S === 'm/headless');
      expect(await storeOf(client, 300).put([large])).toMatchObject([
        { itemIdentifier: 'headless' },
      ]);
      expect((await read('headless')).entries).toEqual([]);
    });

    test('a throttled database gets all of it in the end', async () => {
      let asked = 0;
      const client = clientHoldingBack(table.endpoint, () => asked++ % 3 === 0);
      const messages = Array.from({ length: 40 }, (_, index) =>
        message({ topic: 'throttled', payload: kilobytes(index % 10 === 0 ? 700 : 1) }),
      );
      expect(await storeOf(client, 20_000).put(messages)).toEqual([]);
      const { entries } = await read('throttled', 100);
      expect(entries.map(({ id }) => id)).toEqual(messages.map(({ id }) => id));
    });

    test('too many properties fail their message for good, and no other', async () => {
      const pair = ['name', 'v'.repeat(65_000)] as const;
      const huge = message({ topic: 'huge', properties: { userProperties: Array(7).fill(pair) } });
      const good = message({ topic: 'huge', properties: { userProperties: Array(5).fill(pair) } });
      expect(await storeOf().put([huge, good])).toMatchObject([
        { itemIdentifier: huge.id, retryable: false },
      ]);
      expect((await read('huge')).entries.map(({ id }) => id)).toEqual([good.id]);
    });

    describe('pages of large messages', () => {
      const reader = () => createReader({ client: table.client, tableName: table.tableName });

      beforeAll(async () => {
        const sizes = [1500, 1500, 1500, 5000, 10, 300, 10];
        const messages = sizes.map((size, index) =>
          message({ topic: 'pages', id: `page-${index}`, payload: kilobytes(size) }),
        );
        expect(await storeOf().put(messages)).toEqual([]);
        const spread = messages.map((entry, index) => ({ ...entry, topic: `spread/${index}` }));
        expect(await storeOf().put(spread)).toEqual([]);
      });

      const pages = [['page-0', 'page-1'], ['page-2'], ['page-3'], ['page-4', 'page-5', 'page-6']];

      test('end at 4 MB, hold at least one message, and leave none out', async () => {
        const seen: string[][] = [];
        let after: string | undefined;
        do {
          const page = await reader().messages(
            { topic: 'pages', order: 'oldest', limit: 100, budget: new ReadBudget() },
            after,
          );
          seen.push(page.entries.map(({ id }) => id));
          after = page.next;
        } while (after !== undefined);
        expect(seen).toEqual(pages);
      });

      test('of many topics too', async () => {
        const seen: string[][] = [];
        let after: string | undefined;
        do {
          const page = await reader().latest(
            { filters: ['spread/+'], limit: 100, isVisible: () => true, budget: new ReadBudget() },
            after,
          );
          seen.push(page.entries.map(({ id }) => id));
          after = page.next;
        } while (after !== undefined);
        expect(seen).toEqual(pages);
      });
    });
  });
}
