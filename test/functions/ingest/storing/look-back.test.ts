// Redelivered messages against a real table: what is stored already is not stored again, and nothing else is left out.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Message } from '../../../../functions/contract/message.ts';
import { storageForms } from '../../../../functions/contract/storage-form.ts';
import { createStore } from '../../../../functions/ingest/storing/message-store.ts';
import { localClient } from '../../../../infra/local/database.ts';
import { message } from '../../../support/messages.ts';
import { allItems, messagesIn } from '../../../support/stored.ts';
import { clientWithout, engines, startTable, type TestTable } from '../../../support/table.ts';

// Items and the log are looked through each in its own way: both in every run.
for (const { engine, storage } of engines.flatMap((engine) =>
  storageForms.map((storage) => ({ engine, storage })),
)) {
  const isPacked = storage === 'packed';
  describe.skipIf(!engine.available)(`${storage} on ${engine.name}`, () => {
    let table: TestTable;
    beforeAll(async () => {
      table = await startTable(engine);
    });
    afterAll(() => table.close());

    /** Names of the calls that a store sent to the database. */
    const calls: string[] = [];

    async function put(messages: readonly Message[], writeShards = 1) {
      const client = localClient(table.endpoint);
      calls.length = 0;
      client.middlewareStack.add(
        (next, { commandName }) =>
          async (args) => {
            calls.push(commandName ?? '');
            return next(args);
          },
        { step: 'initialize' },
      );
      const store = createStore({
        client,
        tableName: table.tableName,
        retentionDays: 30,
        writeShards,
      });
      let duplicates = 0;
      const failures = await store.put(messages, {
        storage,
        onDuplicates(count) {
          duplicates += count;
        },
      });
      client.destroy();
      return { failures, duplicates };
    }

    async function stored(topic: string): Promise<Message[]> {
      return messagesIn(await allItems(table)).filter((one) => one.topic === topic);
    }

    const run = (topic: string, length: number, parts: Partial<Message> = {}) =>
      Array.from({ length }, (_, index) =>
        message({ topic, packetId: index + 1, text: `{"n":${index}}`, ...parts }),
      );

    /** The same messages as a resumed session brings them: other ids, later times, marked. */
    const redelivered = (messages: readonly Message[]) =>
      messages.map((original) => {
        const { id, time } = message();
        return { ...original, id, time, possibleDuplicate: true };
      });

    test('a normal message costs one plain write, no read and no condition', async () => {
      await put(run('plain', 30));
      // And its topic, once a minute, one write of the registry, which an index of segments replaces.
      expect(calls).toEqual(
        isPacked
          ? ['BatchWriteItemCommand']
          : ['BatchWriteItemCommand', 'BatchWriteItemCommand', 'UpdateItemCommand'],
      );
    });

    test('after the clock was set back, redelivered messages are found below older ones', async () => {
      const startMs = 1_800_000_000_000;
      const at = (ms: number) => new Date(ms).toISOString().replace('Z', '000Z');
      // Older ones, of the same packet ids, before and behind the time that the clock was set back to.
      const old = Array.from({ length: 300 }, (_, index) =>
        message({
          topic: 'back',
          packetId: index + 1,
          text: `old ${index}`,
          time: at(startMs + index * 12_000),
        }),
      );
      await put(old);
      const receivedAfter = old.at(-1)?.time ?? '';
      const since = (ms: number) => ({ time: at(startMs + 600_000 + ms), receivedAfter });
      const originals = Array.from({ length: 20 }, (_, index) =>
        message({ topic: 'back', packetId: index + 1, text: `new ${index}`, ...since(index) }),
      );
      await put(originals);
      const again = (originals: readonly Message[]) =>
        originals.map((original, index) => ({
          ...original,
          ...since(1000 + index),
          id: message().id,
          possibleDuplicate: true,
        }));
      expect(await put(again(originals))).toEqual({ failures: [], duplicates: 20 });
      // What came before it was set back, and has not come since.
      expect(await put(again(old.slice(-50)))).toEqual({ failures: [], duplicates: 50 });
      const { failures, duplicates } = await put(
        again([message({ topic: 'back', packetId: 5, text: 'another' })]),
      );
      expect([failures, duplicates]).toEqual([[], 0]);
    });

    test('redelivered messages are not stored again, what follows them is', async () => {
      const originals = run('again', 40);
      await put(originals.slice(0, 25));
      const { failures, duplicates } = await put([...redelivered(originals), ...run('again', 3)]);
      expect([failures, duplicates]).toEqual([[], 25]);
      expect(await stored('again')).toHaveLength(43);
      if (!isPacked) expect(calls.filter((name) => name === 'QueryCommand')).toHaveLength(1);
    });

    test('one query for each topic', async () => {
      const originals = Array.from({ length: 20 }, (_, index) =>
        run(`each/${index % 5}`, 4),
      ).flat();
      await put(originals);
      expect(await put(redelivered(run('each/0', 4).concat(run('each/3', 4))))).toEqual({
        failures: [],
        duplicates: 8,
      });
      if (!isPacked) expect(calls.filter((name) => name === 'QueryCommand')).toHaveLength(2);
    });

    test('a retry of the same batch ends the same, and stores nothing more', async () => {
      const originals = run('retry', 10);
      await put(originals.slice(0, 5));
      const batch = redelivered(originals);
      expect(await put(batch)).toEqual({ failures: [], duplicates: 5 });
      expect(await put(batch)).toEqual({ failures: [], duplicates: 5 });
      expect(await put(batch.slice(4, 6))).toEqual({ failures: [], duplicates: 1 });
      expect(await stored('retry')).toHaveLength(10);
    });

    test('another session’s messages are other messages', async () => {
      await put(run('session', 5, { source: 'mqtt://broker/causeway-other-0' }));
      expect((await put(redelivered(run('session', 5)))).duplicates).toBe(0);
      expect(await stored('session')).toHaveLength(10);
    });

    test('a message may repeat another without a trace lost, under another packet id', async () => {
      const [first] = run('repeat', 1);
      if (first === undefined) throw new Error('no message');
      await put([first]);
      const next = redelivered([{ ...first, packetId: 2 }]);
      expect(await put([...redelivered([first]), ...next])).toEqual({
        failures: [],
        duplicates: 1,
      });
      expect(await stored('repeat')).toHaveLength(2);
    });

    test('a whole window of one topic is found, among the messages of another source', async () => {
      const originals = run('window', 2000);
      for (const index of originals.keys()) {
        if (index % 100 === 0) await put(originals.slice(index, index + 100));
        if (index % 400 === 0) await put(run('window', 20, { source: 'mqtt://broker/other' }));
      }
      const again = redelivered(originals);
      expect((await put(again.slice(0, 500))).duplicates).toBe(500);
      expect((await put(again.slice(1990))).duplicates).toBe(10);
    });

    test('two routes with a full window each have stored the same topic', async () => {
      const own = run('routes', 4000);
      const other = run('routes', 4000, { source: 'mqtt://broker/other' });
      for (let start = 0; start < own.length; start += 500) {
        await put(own.slice(start, start + 500));
        await put(other.slice(start, start + 500));
      }
      expect((await put(redelivered(own).slice(0, 500))).duplicates).toBe(500);
    });

    test('with write sharding, all shards are looked through, newest first', async () => {
      const originals = run('shards', 600);
      // Some stored before the shards were introduced.
      for (const index of originals.keys())
        if (index % 100 === 0) await put(originals.slice(index, index + 100), index < 200 ? 1 : 8);
      const again = redelivered(originals);
      expect((await put(again.slice(0, 500), 8)).duplicates).toBe(500);
      expect((await put(again.slice(590), 8)).duplicates).toBe(10);
      // The newest item with a packet id decides, whichever shard it is in.
      const newer = run('shards', 600, { payload: Buffer.from('newer') });
      await put(newer, 8);
      expect((await put(redelivered(originals).slice(0, 50), 8)).duplicates).toBe(0);
    });

    test('large messages are found by their digest', async () => {
      const payload = (fill: number) => Buffer.alloc(700 * 1024, fill);
      const [one] = run('large', 1, { payload: payload(1) });
      const [two] = run('large', 1, { payload: payload(2), packetId: 2 });
      if (one === undefined || two === undefined) throw new Error('no message');
      await put([one]);
      expect(await put(redelivered([one, two]))).toEqual({ failures: [], duplicates: 1 });
      expect(await stored('large')).toHaveLength(2);
    });

    test('one reading of the log answers for all topics', async () => {
      const originals = Array.from({ length: 40 }, (_, index) => run(`log/${index}`, 2)).flat();
      await put(originals);
      expect(await put(redelivered(originals))).toEqual({ failures: [], duplicates: 80 });
      expect(calls.filter((name) => name === 'GetItemCommand')).toHaveLength(1);
    });

    test('what was stored in the other form is found, and the newest of both decides', async () => {
      const originals = run('mixed', 10);
      await put(originals);
      const single = run('mixed', 1, { packetId: 3, payload: Buffer.from('newer') });
      // So few are items of their own.
      await put(single);
      expect(await put(redelivered(single))).toEqual({ failures: [], duplicates: 1 });
      expect((await put(redelivered(originals))).duplicates).toBe(9);
    });

    test('where the past cannot be read, the suspects fail, to be tried again, and the others are stored', async () => {
      const client = clientWithout(table, 'QueryCommand');
      const store = createStore({ client, tableName: table.tableName, retentionDays: 30 });
      const [suspect] = redelivered(run('unread', 1));
      if (suspect === undefined) throw new Error('no message');
      const plain = message({ topic: 'unread' });
      expect(await store.put([suspect, plain])).toMatchObject([
        { itemIdentifier: suspect.id, retryable: true },
      ]);
      expect((await stored('unread')).map(({ id }) => id)).toEqual([plain.id]);
      client.destroy();
    });
  });
}
