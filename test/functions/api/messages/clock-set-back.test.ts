// Messages from before and after a clock was set back, from real tables: the newest is the one that was stored last.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ReceiptClock } from '../../../../bridge/session/receipt-clock.ts';
import { createReader } from '../../../../functions/api/messages/reader.ts';
import type { Message } from '../../../../functions/contract/message.ts';
import { createStore } from '../../../../functions/ingest/storing/message-store.ts';
import { ReadBudget } from '../../../../functions/table/read-budget.ts';
import { message } from '../../../support/messages.ts';
import { packsAll, settings } from '../../../support/stored.ts';
import { startTable, type TestTable } from '../../../support/table.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** A bridge whose clock somebody sets; the table's own is right. */
function bridge(ms: number) {
  const system = { ms };
  const clock = new ReceiptClock(() => system.ms);
  return {
    system,
    receive(topic: string, text: string): Message {
      system.ms += 10;
      const time = clock.stamp();
      const { receivedAfter } = clock;
      return message({ topic, text, time, ...(receivedAfter && { receivedAfter }) });
    },
  };
}

for (const { engine, storage, name } of settings) {
  describe.skipIf(!engine.available)(name, () => {
    let table: TestTable;
    beforeAll(async () => {
      table = await startTable(engine);
    });
    afterAll(() => table.close());

    /** Each call is an instance of its own, as on Lambda, unless a store is given. */
    function newStore(writeShards = 1) {
      const { client, tableName } = table;
      const options = { client, tableName, retentionDays: 500, writeShards };
      const store = createStore({ ...options, ...packsAll });
      return { put: (messages: readonly Message[]) => store.put(messages, { storage }) };
    }

    async function latest(filter: string, writeShards = 1): Promise<Record<string, string>> {
      const { client, tableName } = table;
      const { entries } = await createReader({ client, tableName, writeShards }).latest({
        filters: [filter],
        limit: 100,
        isVisible: () => true,
        budget: new ReadBudget(),
      });
      return Object.fromEntries(
        entries.map(({ topic, payload }) => [topic, Buffer.from(payload).toString()]),
      );
    }

    for (const [far, backMs] of [
      ['an hour', hourMs],
      ['a year', 365 * dayMs],
    ] as const)
      for (const writeShards of [1, 3])
        test(`${far} back, ${writeShards} shards`, async () => {
          const root = `back/${far}/${writeShards}`;
          const put = async (...messages: Message[]) =>
            expect(await newStore(writeShards).put(messages)).toEqual([]);
          const { system, receive } = bridge(Date.now() + backMs - minuteMs);
          await put(receive(`${root}/a`, 'a 1'), receive(`${root}/b`, 'b 1'));
          system.ms -= backMs;
          await put(receive(`${root}/a`, 'a 2'), receive(`${root}/c`, 'c 1'));
          const expected = {
            [`${root}/a`]: 'a 2',
            [`${root}/b`]: 'b 1',
            [`${root}/c`]: 'c 1',
          };
          expect(await latest(`${root}/+`, writeShards)).toEqual(expected);
          for (let count = 3; count < 20; count++)
            await put(receive(`${root}/a`, `a ${count}`), receive(`${root}/c`, `c ${count}`));
          Object.assign(expected, { [`${root}/a`]: 'a 19', [`${root}/c`]: 'c 19' });
          expect(await latest(`${root}/+`, writeShards)).toEqual(expected);
          system.ms -= 2 * minuteMs;
          await put(receive(`${root}/a`, 'set back twice'));
          Object.assign(expected, { [`${root}/a`]: 'set back twice' });
          expect(await latest(`${root}/+`, writeShards)).toEqual(expected);
          // Past all that was ever stored, time is order again.
          system.ms += backMs + 5 * minuteMs;
          await put(receive(`${root}/a`, 'in order'), receive(`${root}/b`, 'b 2'));
          Object.assign(expected, { [`${root}/a`]: 'in order', [`${root}/b`]: 'b 2' });
          expect(await latest(`${root}/+`, writeShards)).toEqual(expected);
        });

    test('an instance of ingest that knows the topic already says so at once too', async () => {
      const store = newStore();
      const { system, receive } = bridge(Date.now());
      expect(await store.put([receive('known', '1')])).toEqual([]);
      system.ms -= hourMs;
      expect(await store.put([receive('known', '2')])).toEqual([]);
      expect(await latest('known')).toEqual({ known: '2' });
    });
  });
}
