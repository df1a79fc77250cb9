// Dead letters that are given to a route's handler again while the route is paused, disabled, or about to stop.
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { DeadLetterStore } from '../../../bridge/dead-letters/dead-letter-store.ts';
import { tableDeadLetters } from '../../../bridge/dead-letters/dead-letter-table.ts';
import { type DeadLetter, deadLetterId } from '../../../functions/table/dead-letter.ts';
import { startTestBridge } from '../../support/bridges.ts';
import { startHandler, type TestHandler } from '../../support/handler.ts';
import { message } from '../../support/messages.ts';
import { askRoutes as ask, statusOf, routeToken as token } from '../../support/route-control.ts';
import { startTable, type TestTable } from '../../support/table.ts';
import { until } from '../../support/wait.ts';

let table: TestTable;
let handler: TestHandler;
let deadLetters: DeadLetterStore;
let letter: DeadLetter;

beforeEach(async () => {
  table = await startTable();
  handler = await startHandler();
  deadLetters = tableDeadLetters(table.tableName, table.client);
  letter = {
    route: 'store',
    reason: 'the handler answered 422',
    attempts: 1,
    quarantinedAt: new Date().toISOString(),
    message: message(),
  };
  await deadLetters.put(letter);
});
afterEach(async () => {
  await handler.close();
  await table.close();
});

/** A bridge without a broker: it still has the leases of its sessions, or stands by. */
async function bridgeThatIs(state: 'disconnected' | 'standby') {
  const bridge = await startTestBridge({
    brokerUrl: 'mqtt://127.0.0.1:1',
    handlerUrl: handler.url,
    table,
    token,
    drainTimeoutMs: 60_000,
  });
  await until(async () => (await statusOf(bridge.url)).state === state);
  return bridge;
}

async function replay(url: string) {
  const response = await fetch(`${url}/dead-letters/replay`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify({ id: deadLetterId(letter) }),
  });
  return [response.status, await response.json()];
}

test('it is not given to a route that is paused; a 410 to it refuses it, and changes nothing for the route', async () => {
  const bridge = await bridgeThatIs('disconnected');
  await ask(bridge.url, '/pause', { name: 'store' });
  expect(await replay(bridge.url)).toMatchObject([503, { detail: 'the route is paused' }]);
  expect(handler.requests).toEqual([]);
  await ask(bridge.url, '/resume', { name: 'store' });
  handler.answer = (_, response) => void response.writeHead(410).end();
  for (const requests of [1, 2]) {
    expect(await replay(bridge.url)).toMatchObject([
      422,
      { code: 'handler-refused', detail: 'the handler answered 410' },
    ]);
    expect(await statusOf(bridge.url)).toMatchObject({ state: 'disconnected' });
    expect(handler.requests).toHaveLength(requests);
  }
  expect(await deadLetters.count()).toBe(1);
  handler.answer = (_, response) => void response.end();
  expect((await replay(bridge.url))[0]).toBe(200);
});

test('a pause holds for another bridge, too, from its answer on', async () => {
  const first = await bridgeThatIs('disconnected');
  const second = await bridgeThatIs('standby');
  // Asked is the one that has the session: for that, no other need know of it.
  await ask(first.url, '/pause', { name: 'store' });
  expect(await replay(second.url)).toMatchObject([503, { detail: 'the route is paused' }]);
  expect(handler.requests).toEqual([]);
});

test('a bridge that stops waits for the one that it is just sending', async () => {
  let answer: (() => void) | undefined;
  handler.answer = (_, response) => {
    answer = () => response.end();
  };
  const bridge = await bridgeThatIs('disconnected');
  const replayed = replay(bridge.url);
  await until(() => answer !== undefined);
  const drained = bridge.drain();
  // Were it cut off, it would be so by then.
  await Promise.race([replayed, delay(500)]);
  answer?.();
  expect((await replayed)[0]).toBe(200);
  await drained;
  expect(await deadLetters.count()).toBe(0);
});
