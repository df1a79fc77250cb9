// Who is online as ingest keeps it in real tables: doubled, out of order, by several instances at once, and killed.
import { ScanCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Message } from '../../../../functions/contract/message.ts';
import type { PresenceFeed } from '../../../../functions/contract/presence-feed.ts';
import { createStore } from '../../../../functions/ingest/storing/message-store.ts';
import { type Item, textAt } from '../../../../functions/table/item.ts';
import { presenceKey, presenceOf } from '../../../../functions/table/presence-item.ts';
import { localClient } from '../../../../infra/local/database.ts';
import { message } from '../../../support/messages.ts';
import { connected, disconnected, shuffled, startMs } from '../../../support/presence.ts';
import { clientWithout, engines, startTable, type TestTable } from '../../../support/table.ts';

const feed: PresenceFeed = { source: 'embedded' };

for (const engine of engines) {
  describe.skipIf(!engine.available)(`on ${engine.name}`, () => {
    let table: TestTable;
    beforeAll(async () => {
      table = await startTable(engine);
    });
    afterAll(() => table.close());

    const ingest = (client = table.client, retentionDays = 30) => {
      const store = createStore({ client, tableName: table.tableName, retentionDays });
      return (messages: readonly Message[], presence: PresenceFeed = feed) =>
        store.put(messages, { presence });
    };

    async function items(prefix: string): Promise<Item[]> {
      const found: Item[] = [];
      let after: Item | undefined;
      do {
        const { Items = [], LastEvaluatedKey } = await table.client.send(
          new ScanCommand({
            TableName: table.tableName,
            ConsistentRead: true,
            ExclusiveStartKey: after,
          }),
        );
        found.push(...Items.filter(({ pk }) => pk?.S?.startsWith(prefix)));
        after = LastEvaluatedKey;
      } while (after !== undefined);
      return found;
    }

    async function stateOf(clientId: string) {
      const states = await items('presence/');
      const item = states.find((one) => one['clientId']?.S === clientId);
      return item && { ...presenceOf(item), item };
    }

    const historyOf = async (clientId: string) =>
      (await items(`presence-events/${clientId}`)).map(({ sk }) => sk?.S).sort();

    test('a last will, told by a bridge whose clock is 120 s behind that of the one before', async () => {
      const form: PresenceFeed = {
        source: 'last-will',
        filter: 'devices/+/status',
        online: 'online',
        offline: 'offline',
      };
      const at = (ms: number) => new Date(startMs + ms).toISOString().replace('Z', '000Z');
      const says = (text: string, ms: number, receivedAfter?: string) =>
        message({
          topic: 'devices/late/status',
          text,
          time: at(ms),
          ...(receivedAfter && { receivedAfter }),
        });
      await ingest()([says('online', 120_000)], form);
      await ingest()([says('offline', 1000, at(120_000))], form);
      expect(await stateOf('late')).toMatchObject({ status: 'offline', since: at(1000) });
      await ingest()([says('online', 2000, at(120_000)), says('offline', 3000, at(120_000))], form);
      expect(await stateOf('late')).toMatchObject({ status: 'offline', since: at(3000) });
      // The clock is past what the first bridge said.
      await ingest()([says('online', 121_000)], form);
      expect(await stateOf('late')).toMatchObject({ status: 'online', since: at(121_000) });
    });

    test('a connection that begins and ends, in one batch and in two', async () => {
      const one = { clientId: 'one', epoch: 1, atMs: startMs };
      expect(await ingest()([connected(one)])).toEqual([]);
      expect(await stateOf('one')).toMatchObject({ status: 'online' });
      expect((await stateOf('one'))?.item).not.toHaveProperty('expiresAt');
      const end = { ...one, atMs: startMs + 1000, reason: 'keep-alive' };
      expect(await ingest()([disconnected(end)])).toEqual([]);
      expect(await stateOf('one')).toMatchObject({ status: 'offline', reason: 'keep-alive' });
      expect(Number((await stateOf('one'))?.item['expiresAt']?.N)).toBe(
        Math.floor((startMs + 1000) / 1000) + 30 * 86_400,
      );
      expect(await historyOf('one')).toHaveLength(2);
      const two = { ...one, clientId: 'two' };
      await ingest()([disconnected({ ...end, clientId: 'two' }), connected(two)]);
      expect(await stateOf('two')).toMatchObject({ status: 'offline' });
    });

    test('a late disconnect of an old connection puts nobody offline', async () => {
      const old = { clientId: 'back', epoch: 1, atMs: startMs };
      await ingest()([connected(old)]);
      await ingest()([connected({ ...old, epoch: 2, atMs: startMs + 10 })]);
      await ingest()([disconnected({ ...old, atMs: startMs + 11, reason: 'takeover' })]);
      const since = new Date(startMs + 10).toISOString().replace('Z', '000Z');
      expect(await stateOf('back')).toMatchObject({ status: 'online', since });
      expect(await historyOf('back')).toHaveLength(3);
    });

    test('a batch that comes again changes nothing', async () => {
      const facts = { clientId: 'again', epoch: 1, atMs: startMs };
      const batch = [connected(facts), disconnected({ ...facts, atMs: startMs + 5 })];
      await ingest()(batch);
      const before = await items('presence');
      await ingest()(batch);
      // A broker that doubles its events sends them as other messages.
      await ingest()(batch.map(({ topic, payload }) => message({ topic, payload })));
      expect(await items('presence')).toEqual(before);
    });

    test('what cannot be read is refused for good, other events are taken, the rest is kept', async () => {
      const bad = message({ topic: '$events/client/connected', text: '{"clientId":"bad"}' });
      const other = message({ topic: '$events/client/subscribed', text: '{}' });
      const failures = await ingest()([
        bad,
        other,
        connected({ clientId: 'good', epoch: 1, atMs: startMs }),
      ]);
      expect(failures).toEqual([
        {
          itemIdentifier: bad.id,
          reason: expect.stringMatching(/epoch.*time/),
          retryable: false,
        },
      ]);
      expect(await stateOf('good')).toMatchObject({ status: 'online' });
      expect(await stateOf('bad')).toBeUndefined();
    });

    test('ids that look like hashes, and long ones, are clients of their own', async () => {
      const long = 'x'.repeat(5000);
      // Somebody who knows a long id can make its hash, and connect with that.
      const forged = textAt(presenceKey(long), 'sk');
      const ids = [long, forged, '#', `${long}y`, 'a/b', '$a', '+'];
      await ingest()(ids.map((clientId) => connected({ clientId, epoch: 1, atMs: startMs })));
      for (const clientId of ids) expect(await stateOf(clientId)).toMatchObject({ clientId });
    });

    test('presence messages are stored as messages nowhere', async () => {
      await ingest()([connected({ clientId: 'alone', epoch: 1, atMs: startMs })]);
      expect([...(await items('m/')), ...(await items('topics'))]).toEqual([]);
    });

    test('instances that fold the same client at once lose nothing', async () => {
      const events = Array.from({ length: 12 }, (_, index) =>
        connected({ clientId: 'hot', epoch: index + 1, atMs: startMs + index * 200_000 }),
      );
      const failures = await Promise.all(
        events.map(async (one) => {
          const put = ingest();
          let failed = await put([one]);
          // What the bridge does with a retryable failure.
          for (let tries = 0; failed.length > 0 && tries < 20; tries++) {
            expect(failed.every(({ retryable }) => retryable)).toBe(true);
            failed = await put([one]);
          }
          return failed;
        }),
      );
      expect(failures.flat()).toEqual([]);
      expect(await stateOf('hot')).toMatchObject({ place: { connection: 12 } });
      expect(await historyOf('hot')).toHaveLength(12);
    });

    test('a write that was lost is made good when the batch comes again', async () => {
      const facts = { clientId: 'lost', epoch: 1, atMs: startMs };
      const batch = [connected(facts), disconnected({ ...facts, atMs: startMs + 5 })];
      for (const command of ['BatchGetItemCommand', 'PutItemCommand', 'BatchWriteItemCommand']) {
        const client = clientWithout(table, command);
        const failures = await ingest(client)(batch);
        expect(
          failures.map(({ itemIdentifier, retryable }) => [itemIdentifier, retryable]),
        ).toEqual(batch.map(({ id }) => [id, true]));
        expect(await stateOf('lost')).toBeUndefined();
        client.destroy();
      }
      expect(await ingest()(batch)).toEqual([]);
      expect(await stateOf('lost')).toMatchObject({ status: 'offline' });
      expect(await historyOf('lost')).toHaveLength(2);
    });

    test('a database that is away fails all of them for now', async () => {
      const client = localClient('http://127.0.0.1:1');
      const batch = [connected({ clientId: 'away', epoch: 1, atMs: startMs })];
      expect(await ingest(client)(batch)).toMatchObject([{ retryable: true }]);
      client.destroy();
    });

    // The same on the other engine would take too long.
    const many = engine.name === 'embedded' ? 2000 : 200;
    // It is bound by the CPU, which a busy machine has little of.
    test(`${many} clients at once, then a doubled stream in any order`, async () => {
      const ids = Array.from({ length: many }, (_, index) => `device-${index}`);
      const begun = ids.map((clientId, index) =>
        connected({ clientId, epoch: index + 1, atMs: startMs + index }),
      );
      // Some end; some are back after that, also without an end that would have been told.
      const ended = ids.flatMap((clientId, index) =>
        index % 10 === 0
          ? [disconnected({ clientId, epoch: index + 1, atMs: startMs + 10_000 + index })]
          : [],
      );
      const back = ids.flatMap((clientId, index) =>
        index % 15 === 0
          ? [connected({ clientId, epoch: 10_000 + index, atMs: startMs + 20_000 + index })]
          : [],
      );
      expect(await inBatches(begun)).toEqual([]);
      const stream = [...begun, ...ended, ...back, ...ended, ...back];
      expect(await inBatches(shuffled(stream))).toEqual([]);
      const states = (await items('presence/')).map(presenceOf);
      const statusOf = new Map(states.map(({ clientId, status }) => [clientId, status]));
      const wrong = ids.filter((id, index) => {
        const isOffline = index % 10 === 0 && index % 15 !== 0;
        return statusOf.get(id) !== (isOffline ? 'offline' : 'online');
      });
      expect(wrong).toEqual([]);
      const records = (await items('presence-events/device-')).length;
      expect(records).toBe(begun.length + ended.length + back.length);
    });

    /** As the bridge sends them: batches of 500, two in flight. */
    async function inBatches(messages: readonly Message[]) {
      const put = ingest();
      const failures = [];
      for (let start = 0; start < messages.length; start += 1000) {
        const halves = [
          messages.slice(start, start + 500),
          messages.slice(start + 500, start + 1000),
        ];
        let left = halves.flat();
        for (const result of await Promise.all(halves.map((half) => put(half)))) {
          const failed = new Set(result.map(({ itemIdentifier }) => itemIdentifier));
          left = left.filter(({ id }) => failed.has(id));
          if (failed.size > 0) failures.push(...(await put(left)));
        }
      }
      return failures;
    }

    test('the last will of a device', async () => {
      const will: PresenceFeed = {
        source: 'last-will',
        filter: 'devices/+/status',
        online: 'on',
        offline: 'off',
      };
      const told = (text: string) => message({ topic: 'devices/will/status', text });
      const [on, again, off] = [told('on'), told('on'), told('off')];
      await ingest()([on], will);
      await ingest()([off], will);
      await ingest()([again], will);
      expect(await stateOf('will')).toMatchObject({ status: 'offline', since: off.time });
      expect(await historyOf('will')).toHaveLength(2);
    });
  });
}
