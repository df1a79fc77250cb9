// Which bridge is asked: those in the table, the newest first, until one has answered.
import { createServer } from 'node:http';
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import {
  createDeliver,
  createRouteControl,
} from '../../../../functions/api/bridge-client/bridge-client.ts';
import { bridgesInTable } from '../../../../functions/api/bridge-client/bridges.ts';
import { problem } from '../../../../functions/contract/problem.ts';
import { bridgeItem, leaseItem } from '../../../../functions/table/bridge-item.ts';
import { listenDuringTest } from '../../../support/listen-during-test.ts';
import { freePort } from '../../../support/ports.ts';
import { routeStatus } from '../../../support/route-status.ts';
import { startTable, type TestTable } from '../../../support/table.ts';

let table: TestTable;
beforeAll(async () => {
  table = await startTable();
  return () => table.close();
});

let nowMs = 0;
let deployment = 0;
beforeEach(() => {
  nowMs += 1_000_000;
  deployment++;
});

/** Without an address it is not one that can be asked. */
async function put(id: string, startedAt: string, address?: { url: string; token: string }) {
  const item = bridgeItem({ id, version: 'a', leaseMs: 1000, startedAt, address });
  await table.client.send(new PutItemCommand({ TableName: table.tableName, Item: item }));
}

async function serve(status: number, body: unknown) {
  const requests: (string | undefined)[] = [];
  const server = createServer(({ headers }, response) => {
    requests.push(headers.authorization);
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  });
  const port = await listenDuringTest(server);
  return { url: `http://127.0.0.1:${port}`, requests };
}

test('bridges without an address, and leases, are left out; the rest is known for ten seconds', async () => {
  const bridges = bridgesInTable(table, () => nowMs);
  const lease = leaseItem({ name: 'causeway-store-0', version: 'a', holder: 'b' });
  await table.client.send(new PutItemCommand({ TableName: table.tableName, Item: lease }));
  await put('mute', '2026-01-01T00:00:00.000Z');
  expect(await bridges.list()).toEqual([]);
  await put('first', '2026-01-02T00:00:00.000Z', { url: 'http://10.0.0.1:9100', token: 'a' });
  expect(await bridges.list()).toHaveLength(1);
  await put('second', '2026-01-03T00:00:00.000Z', { url: 'http://10.0.0.2:9100', token: 'b' });
  expect(await bridges.list()).toHaveLength(1);
  nowMs += 10_001;
  const urls = async () => (await bridges.list()).map(({ url }) => url);
  expect(await urls()).toEqual(['http://10.0.0.2:9100', 'http://10.0.0.1:9100']);
  bridges.answered({ url: 'http://10.0.0.1:9100', token: 'a' });
  expect(await urls()).toEqual(['http://10.0.0.1:9100', 'http://10.0.0.2:9100']);
  bridges.failed({ url: 'http://10.0.0.1:9100', token: 'a' });
  expect((await urls())[0]).toBe('http://10.0.0.2:9100');
  for (const id of ['first', 'second']) await put(id, '');
});

test('a standby, one that is gone, and a stranger at an old address are passed over', async () => {
  const standby = await serve(503, problem('bridge-unavailable', 'standby'));
  const stranger = await serve(401, problem('unauthorized'));
  const holder = await serve(200, { outcomes: [] });
  const gone = `http://127.0.0.1:${await freePort()}`;
  const urls = [holder.url, standby.url, gone, stranger.url];
  for (const [index, url] of urls.entries())
    await put(`one-${index}`, `2026-01-0${index + 1}`, { url, token: `${deployment}-${index}` });
  const deliver = createDeliver({ bridges: bridgesInTable(table, () => nowMs) });
  const request = { commands: [], timeoutMs: 5000 };
  expect(await deliver(request)).toEqual([]);
  expect([stranger.requests.length, standby.requests.length]).toEqual([1, 1]);
  expect(await deliver(request)).toEqual([]);
  // The one that answered is asked at once.
  expect(holder.requests).toEqual(Array(2).fill(`Bearer ${deployment}-0`));
  expect([stranger.requests.length, standby.requests.length]).toEqual([1, 1]);
  for (const index of urls.keys()) await put(`one-${index}`, '');
});

test('where nobody runs, nobody can be asked', async () => {
  const failures: string[] = [];
  const bridges = bridgesInTable(table, () => nowMs);
  const deliver = createDeliver({ bridges, onFailure: (reason) => failures.push(reason) });
  expect(await deliver({ commands: [], timeoutMs: 0 })).toBeUndefined();
  expect(failures).toEqual(['no connection']);
});

test('a successor is found though another one was known', async () => {
  const gone = `http://127.0.0.1:${await freePort()}`;
  await put('before', '2026-01-01', { url: gone, token: `${deployment}-before` });
  const bridges = bridgesInTable(table, () => nowMs);
  expect(await bridges.list()).toHaveLength(1);
  const successor = await serve(200, { outcomes: [] });
  await put('before', '');
  await put('after', '2026-01-02', { url: successor.url, token: `${deployment}-after` });
  const deliver = createDeliver({ bridges });
  expect(await deliver({ commands: [], timeoutMs: 0 })).toEqual([]);
  await put('after', '');
});

test('all of them are asked what they know, and the successors of those that are gone', async () => {
  const urls = await Promise.all([freePort(), freePort()]);
  for (const [index, port] of urls.entries())
    await put(`gone-${index}`, '2026-01-01', {
      url: `http://127.0.0.1:${port}`,
      token: `${deployment}-gone-${index}`,
    });
  const bridges = bridgesInTable(table, () => nowMs);
  expect(await bridges.list()).toHaveLength(2);
  await put('gone-0', '');
  const successors = [];
  for (const name of ['a', 'b']) {
    const one = await serve(200, { routes: [{ ...routeStatus, name }] });
    await put(`after-${name}`, '2026-01-02', { url: one.url, token: `${deployment}-${name}` });
    successors.push(one);
  }
  const told = await createRouteControl({ bridges }).list();
  expect(told.ok && told.value.map(({ name }) => name).sort()).toEqual(['a', 'b']);
  expect(successors.map(({ requests }) => requests.length)).toEqual([1, 1]);
  for (const id of ['gone-1', 'after-a', 'after-b']) await put(id, '');
});
