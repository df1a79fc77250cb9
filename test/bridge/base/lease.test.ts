// Leases in a table: who holds one, and when the next one may.
import { setTimeout as delay } from 'node:timers/promises';
import { DeleteItemCommand, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { untilAborted } from '../../../bridge/base/aborted.ts';
import { type Lease, Leases } from '../../../bridge/base/lease.ts';
import type { SharedLeases } from '../../../bridge/base/lease-sharing.ts';
import { leaseTable } from '../../../bridge/base/lease-table.ts';
import { whileLeased } from '../../../bridge/base/leased.ts';
import { type StoredBridge, storedBridgeOf } from '../../../functions/table/bridge-item.ts';
import { localClient } from '../../../infra/local/database.ts';
import { clientWithout, startTable, type TestTable } from '../../support/table.ts';
import { until } from '../../support/wait.ts';

const log = pino({ level: 'silent' });
let table: TestTable;
beforeAll(async () => {
  table = await startTable();
});
afterAll(() => table.close());

interface BridgeOptions {
  readonly leaseMs?: number;
  readonly client?: TestTable['client'];
  readonly tableName?: string;
  readonly shared?: SharedLeases;
}

/** The leases of a bridge. */
function bridge(options: BridgeOptions = {}) {
  const { leaseMs = 2000, client = table.client, tableName = table.tableName, shared } = options;
  const address = { url: 'http://127.0.0.1:1', token: 'a token' };
  const leases = new Leases({
    store: leaseTable(tableName, client),
    leaseMs,
    address,
    shared,
    log,
  });
  const stop = new AbortController();
  onTestFinished(async () => {
    stop.abort();
    await leases.close();
  });
  return {
    leases,
    acquire: (name: string) => leases.acquire(name, log, stop.signal),
    async acquired(name: string): Promise<Lease> {
      const lease = await leases.acquire(name, log, stop.signal);
      if (lease === undefined) throw new Error('no lease');
      return lease;
    },
  };
}

async function storedBridges(): Promise<StoredBridge[]> {
  const { Items = [] } = await table.client.send(
    new QueryCommand({
      TableName: table.tableName,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': { S: 'lease' } },
    }),
  );
  return Items.flatMap((item) => storedBridgeOf(item) ?? []);
}

const put = (item: Record<string, { S: string } | { N: string }>) =>
  table.client.send(
    new PutItemCommand({ TableName: table.tableName, Item: { pk: { S: 'lease' }, ...item } }),
  );

test('one holder at a time; a release hands over within a second', async () => {
  const first = await bridge().acquired('one');
  let second: Lease | undefined;
  const waiting = bridge()
    .acquire('one')
    .then((lease) => {
      second = lease;
    });
  // Longer than the lease: renewals keep it.
  await delay(3000);
  expect([second, first.lost.aborted]).toEqual([undefined, false]);
  const since = performance.now();
  await first.release();
  await waiting;
  console.log(`handed over in ${Math.round(performance.now() - since)} ms`);
  await second?.release();
});

test('a bridge that died is succeeded once its item has stood still for its time', async () => {
  const dead = { version: { S: 'x' }, startedAt: { S: '' }, leaseMs: { N: '1000' } };
  await put({ sk: { S: 'bridge/dead' }, ...dead });
  await put({ sk: { S: 'of-the-dead' }, version: { S: 'y' }, holder: { S: 'dead' } });
  const since = performance.now();
  const lease = await bridge({ leaseMs: 1000 }).acquired('of-the-dead');
  expect(performance.now() - since).toBeGreaterThanOrEqual(1000);
  expect((await storedBridges()).map(({ id }) => id)).not.toContain('dead');
  await lease.release();
});

test('what a bridge held that is gone is free at once', async () => {
  await put({ sk: { S: 'of-nobody' }, version: { S: 'y' }, holder: { S: 'gone' } });
  await (await bridge({ leaseMs: 600_000 }).acquired('of-nobody')).release();
});

test('a lease that an older bridge renews by itself is taken once that stops', async () => {
  await put({ sk: { S: 'older' }, version: { S: 'of-an-older-bridge' } });
  const since = performance.now();
  const lease = await bridge({ leaseMs: 1000 }).acquired('older');
  expect(performance.now() - since).toBeGreaterThanOrEqual(1000);
  await lease.release();
});

test('a holder that cannot renew gives up before anybody else may begin', async () => {
  // A client of its own, whose database goes away.
  const other = await startTable();
  const { leases, acquired } = bridge({
    client: localClient(other.endpoint),
    tableName: other.tableName,
    // It gives up a quarter of it before: a second, which a busy machine may need.
    leaseMs: 4000,
  });
  const lease = await acquired('cut-off');
  expect(leases.problem).toBeUndefined();
  const since = performance.now();
  await other.close();
  await until(() => lease.lost.aborted);
  expect(performance.now() - since).toBeLessThan(4000);
  expect(leases.problem).toContain('does not answer');
  await lease.release();
});

test('a bridge that was taken for dead gives everything up, and can begin again', async () => {
  const { acquired } = bridge({ leaseMs: 1000 });
  const held = [await acquired('stolen-0'), await acquired('stolen-1')];
  const own = (await storedBridges()).filter(({ leaseMs }) => leaseMs === 1000);
  for (const { id } of own)
    await table.client.send(
      new DeleteItemCommand({
        TableName: table.tableName,
        Key: { pk: { S: 'lease' }, sk: { S: `bridge/${id}` } },
      }),
    );
  await until(() => held.every(({ lost }) => lost.aborted));
  const again = await acquired('stolen-0');
  expect(again.lost.aborted).toBe(false);
  await again.release();
});

test('a lease whose release failed is released later, and its bridge can take it meanwhile', async () => {
  const { acquired } = bridge({ client: clientWithout(table, 'DeleteItemCommand') });
  await (await acquired('kept')).release();
  await acquired('kept');
});

test('a bridge that runs is found by its address, and one that ended is not', async () => {
  const { leases, acquired } = bridge({ leaseMs: 5000 });
  await acquired('found');
  const own = () => storedBridges().then((all) => all.filter(({ leaseMs }) => leaseMs === 5000));
  expect(await own()).toMatchObject([{ address: { url: 'http://127.0.0.1:1', token: 'a token' } }]);
  await leases.close();
  expect(await own()).toEqual([]);
});

test('bridges share leases evenly as they come and go, and then write nothing but renewals', async () => {
  const own = await startTable();
  onTestFinished(() => own.close());
  const calls = new Map<string, number>();
  own.client.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        const { Item } = args.input as { Item?: Record<string, { S?: string }> };
        const what = `${commandName} ${Item?.['sk']?.S?.replace(/[/].*/, '') ?? ''}`.trim();
        calls.set(what, (calls.get(what) ?? 0) + 1);
        return next(args);
      },
    { step: 'initialize' },
  );
  const names = ['a-0', 'a-1', 'a-2', 'b-0', 'b-1'];
  let isAnnounced = false;
  const held = new Map<string, string>();
  function sharing(id: string) {
    const leaving = new AbortController();
    const { leases } = bridge({
      leaseMs: 4000,
      client: own.client,
      tableName: own.tableName,
      shared: {
        group: 'one',
        routes: new Map(names.map((name) => [name, name.slice(0, 1)])),
        changes: {
          get areRecent() {
            return isAnnounced;
          },
        },
        announce: async () => {
          isAnnounced = true;
        },
      },
    });
    const running = names.map((name) =>
      whileLeased(
        { acquire: (...wanted) => leases.acquire(...wanted), name, log, signal: leaving.signal },
        async (lease) => {
          held.set(name, held.has(name) ? 'two' : id);
          await untilAborted(...(lease === undefined ? [] : [lease.recalled]), leaving.signal);
          held.delete(name);
        },
      ),
    );
    async function leave(): Promise<void> {
      leases.leave();
      leaving.abort();
      await Promise.all(running);
      await leases.close();
    }
    onTestFinished(leave);
    return leave;
  }
  const countsOf = (...ids: string[]) =>
    ids.map((id) => [...held.values()].filter((holder) => holder === id).length).sort();

  sharing('one');
  await until(() => held.size === 5);
  const leaveTwo = sharing('two');
  await until(() => countsOf('one', 'two').join() === '2,3');
  sharing('three');
  await until(() => countsOf('one', 'two', 'three').join() === '1,2,2');
  isAnnounced = false;
  calls.clear();
  await until(() => (calls.get('PutItemCommand bridge') ?? 0) >= 6);
  const reads = calls.get('QueryCommand') ?? 0;
  expect(new Set(calls.keys())).toEqual(new Set(['PutItemCommand bridge', 'QueryCommand']));
  console.log(`looks in two renewals of three bridges: ${reads}`);
  await leaveTwo();
  await until(() => countsOf('one', 'three').join() === '2,3');
});

test('ten contenders never hold it together', async () => {
  let holders = 0;
  let most = 0;
  await Promise.all(
    Array.from({ length: 10 }, async () => {
      const lease = await bridge({ leaseMs: 3000 }).acquired('contended');
      most = Math.max(most, ++holders);
      await delay(10);
      holders--;
      await lease.release();
    }),
  );
  expect(most).toBe(1);
});
