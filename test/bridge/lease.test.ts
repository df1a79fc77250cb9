import { setTimeout as delay } from 'node:timers/promises';
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { acquireLease, type Lease } from '../../bridge/lease.ts';
import { localClient } from '../../infra/local/database.ts';
import { startTable, type TestTable } from '../support/table.ts';
import { until } from '../support/wait.ts';

const log = pino({ level: 'silent' });
let table: TestTable;
beforeAll(async () => {
  table = await startTable();
});
afterAll(() => table.close());

function acquire(clientId: string, { leaseMs = 2000, client = table.client } = {}) {
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  return acquireLease({
    client,
    tableName: table.tableName,
    clientId,
    leaseMs,
    log,
    signal: stop.signal,
  });
}

async function acquired(pending: Promise<Lease | undefined>): Promise<Lease> {
  const lease = await pending;
  if (lease === undefined) throw new Error('no lease');
  return lease;
}

test('one holder at a time; a release hands over within a second', async () => {
  const first = await acquired(acquire('one'));
  let second: Lease | undefined;
  const waiting = acquire('one').then((lease) => {
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

test('a holder that died is succeeded once its lease has run out', async () => {
  await table.client.send(
    new PutItemCommand({
      TableName: table.tableName,
      Item: { pk: { S: 'lease' }, sk: { S: 'dead' }, version: { S: 'of-a-dead-process' } },
    }),
  );
  const since = performance.now();
  const lease = await acquired(acquire('dead', { leaseMs: 1000 }));
  expect(performance.now() - since).toBeGreaterThanOrEqual(1000);
  await lease.release();
});

test('a holder that cannot renew gives up before anybody else may begin', async () => {
  // A client of its own, whose database goes away.
  const other = await startTable();
  const lease = await acquired(
    acquireLease({
      client: localClient(other.endpoint),
      tableName: other.tableName,
      clientId: 'cut-off',
      leaseMs: 1000,
      log,
      signal: new AbortController().signal,
    }),
  );
  const since = performance.now();
  await other.close();
  await until(() => lease.lost.aborted);
  expect(performance.now() - since).toBeLessThan(1000);
  await lease.release();
});

test('a holder whose lease was taken says so', async () => {
  const lease = await acquired(acquire('stolen', { leaseMs: 1000 }));
  await table.client.send(
    new PutItemCommand({
      TableName: table.tableName,
      Item: { pk: { S: 'lease' }, sk: { S: 'stolen' }, version: { S: 'of-somebody-else' } },
    }),
  );
  await until(() => lease.lost.aborted);
  await lease.release();
});

test('ten contenders never hold it together', async () => {
  let holders = 0;
  let most = 0;
  await Promise.all(
    Array.from({ length: 10 }, async () => {
      const lease = await acquired(acquire('contended', { leaseMs: 3000 }));
      most = Math.max(most, ++holders);
      await delay(10);
      holders--;
      await lease.release();
    }),
  );
  expect(most).toBe(1);
});
