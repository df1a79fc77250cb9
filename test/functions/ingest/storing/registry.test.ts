// The registry of topics against real tables: at most one write for each topic and minute, and no count lost by it.
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { v7 as uuidv7 } from 'uuid';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createReader } from '../../../../functions/api/messages/reader.ts';
import type { Message } from '../../../../functions/contract/message.ts';
import { createStore } from '../../../../functions/ingest/storing/message-store.ts';
import { createRegistry } from '../../../../functions/ingest/storing/registry.ts';
import { commandId } from '../../../../functions/table/command-id.ts';
import { ReadBudget } from '../../../../functions/table/read-budget.ts';
import { localClient } from '../../../../infra/local/database.ts';
import { message } from '../../../support/messages.ts';
import { clientWithout, engines, startTable, type TestTable } from '../../../support/table.ts';

const startMs = Date.UTC(2030, 0, 1);
const messages = (topic: string, count: number): Message[] =>
  Array.from({ length: count }, () => message({ topic }));

for (const engine of engines) {
  describe.skipIf(!engine.available)(`on ${engine.name}`, () => {
    let table: TestTable;
    beforeAll(async () => {
      table = await startTable(engine);
      // The first update of a cold engine may take longer than a batch waits for it: then it is counted twice.
      await instance().count(messages('warm', 1), 3650);
    });
    afterAll(() => table.close());

    /** An instance whose clock the test sets, and which counts its writes and can lose them. */
    function instance() {
      const client = localClient(table.endpoint);
      const state = { nowMs: startMs, writes: 0, failing: false };
      client.middlewareStack.add(
        (next) => async (args) => {
          state.writes++;
          if (state.failing) throw new Error('no answer');
          return next(args);
        },
        { step: 'initialize' },
      );
      const { tableName } = table;
      const count = createRegistry({ client, tableName, concurrency: 8, now: () => state.nowMs });
      return { state, count };
    }

    const known = async (filter: string, client: DynamoDBClient = table.client) => {
      const reader = createReader({ client, tableName: table.tableName, now: () => startMs });
      const budget = new ReadBudget();
      const selection = { filters: [filter], limit: 1000, isVisible: () => true, budget };
      return (await reader.topics(selection)).entries;
    };

    test('a new topic is known at once, then written once a minute with all that came', async () => {
      const { state, count } = instance();
      await count(messages('steady', 3), 3650);
      expect(await known('steady')).toMatchObject([{ messages: 3 }]);
      for (let second = 0; second < 600; second++) {
        state.nowMs += 1000;
        await count(messages('steady', 2), 3650);
      }
      expect(state.writes).toBeGreaterThanOrEqual(9);
      expect(state.writes).toBeLessThanOrEqual(11);
      state.nowMs += 60_000;
      const last = messages('steady', 1);
      await count(last, 3650);
      expect(await known('steady')).toEqual([
        { topic: 'steady', messages: 1204, lastSeen: last[0]?.time },
      ]);
    });

    test('a new topic’s count is right after seconds, not after a minute', async () => {
      const { state, count } = instance();
      await count(messages('young', 1), 3650);
      for (let second = 0; second < 5; second++) {
        state.nowMs += 1000;
        await count(messages('young', 20), 3650);
      }
      expect((await known('young'))[0]?.messages).toBeGreaterThan(40);
      expect(state.writes).toBe(2);
    });

    test('the topics of commands and their replies are no topics of devices', async () => {
      const { state, count } = instance();
      const id = commandId(uuidv7(), 'd/1/cmd/{commandId}');
      for (const topic of [`d/1/cmd/${id}`, `causeway/replies/${id}`, `${id}/of/it`])
        await count(messages(topic, 2), 3650);
      expect(state.writes).toBe(0);
      await count(messages(`d/1/${id.slice(1)}`, 1), 3650);
      expect(state.writes).toBe(1);
    });

    test('a topic that falls silent is written too, as long as any message comes', async () => {
      const { state, count } = instance();
      await count(messages('silent', 1), 3650);
      await count(messages('silent', 9), 3650);
      expect(await known('silent')).toMatchObject([{ messages: 1 }]);
      state.nowMs += 120_000;
      await count(messages('other', 1), 3650);
      expect(await known('silent')).toMatchObject([{ messages: 10 }]);
    });

    test('the writes of many topics are spread over the minute', async () => {
      const { state, count } = instance();
      const all = Array.from({ length: 300 }, (_, index) => message({ topic: `spread/${index}` }));
      await count(all, 3650);
      // Their first, and their second, which comes soon.
      state.nowMs += 3000;
      await count(all, 3650);
      state.nowMs += 60_000 - 1;
      await count(all, 3650);
      expect(state.writes).toBe(600);
      const perSecond: number[] = [];
      for (let second = 0; second < 60; second++) {
        state.writes = 0;
        state.nowMs += 1000;
        await count(all, 3650);
        perSecond.push(state.writes);
      }
      expect(perSecond.reduce((sum, writes) => sum + writes)).toBe(300);
      expect(Math.max(...perSecond)).toBeLessThan(30);
    });

    test('a write that fails leaves its count to the next, and fails no message', async () => {
      const { state, count } = instance();
      state.failing = true;
      await count(messages('failing', 4), 3650);
      expect(await known('failing')).toEqual([]);
      state.failing = false;
      state.nowMs += 120_000;
      await count(messages('failing', 1), 3650);
      expect(await known('failing')).toMatchObject([{ messages: 5 }]);
    });

    test('a database that does not take it fails no message', async () => {
      const client = clientWithout(table, 'UpdateItemCommand');
      const store = createStore({ client, tableName: table.tableName, retentionDays: 30 });
      expect(await store.put(messages('untold', 2))).toEqual([]);
      client.destroy();
    });

    test('two instances add up, and what one keeps for longer outlives the other’s entry', async () => {
      const one = instance();
      const other = instance();
      await one.count(messages('shared', 3), 3650);
      await other.count(messages('shared', 4), 1);
      expect(await known('shared')).toMatchObject([{ messages: 7 }]);
    });

    test('messages that were not stored are not counted', async () => {
      const store = createStore({
        client: table.client,
        tableName: table.tableName,
        retentionDays: 3650,
      });
      const bad = message({ topic: 'refused', id: 'x'.repeat(1100) });
      const twin = message({ topic: 'refused' });
      const other = { ...twin, payload: Buffer.from('other') };
      await store.put([bad, twin, other, message({ topic: 'refused' })]);
      expect(await known('refused')).toMatchObject([{ messages: 1 }]);
    });
  });
}
