import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import {
  createDeliver,
  createReplay,
  createRouteControl,
} from '../../../../functions/api/bridge-client/bridge-client.ts';
import { oneBridge } from '../../../../functions/api/bridge-client/bridges.ts';
import type { DeliverRequest, Outcome } from '../../../../functions/contract/command.ts';
import { problem } from '../../../../functions/contract/problem.ts';
import { freePort } from '../../../support/ports.ts';
import { routeHistory, routeStatus, routeTest } from '../../../support/route-status.ts';

const token = 'a-secret-for-the-tests';
const id = 'x'.repeat(53);
const outcome: Outcome = { id, status: 'sent', sentAt: '2026-01-01T00:00:00Z' };

interface Seen {
  readonly path: string | undefined;
  readonly authorization: string | undefined;
  readonly body: unknown;
}
type Respond = (response: ServerResponse, call: number) => void;

let server: Server | undefined;
let seen: Seen[] = [];
const failures: string[] = [];
afterEach(() => {
  server?.close();
  server?.closeAllConnections();
  server = undefined;
  seen = [];
  failures.length = 0;
});

async function listen(respond: Respond, port = 0): Promise<string> {
  server = createServer(async (request: IncomingMessage, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const { url: path, headers } = request;
    const text = Buffer.concat(parts).toString();
    const body = text === '' ? undefined : JSON.parse(text);
    respond(response, seen.push({ path, authorization: headers.authorization, body }));
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const json = (response: ServerResponse, status: number, body: unknown) => {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
};
const optionsOf = (url: string) => ({
  bridges: oneBridge({ url, token }),
  onFailure: (reason: string) => failures.push(reason),
});
const request = (timeoutMs: number): DeliverRequest => ({
  commands: [{ id, waitFor: 'broker' }],
  timeoutMs,
});

describe('deliver', () => {
  test('asks the bridge, and gives its outcomes', async () => {
    const url = await listen((response) => json(response, 200, { outcomes: [outcome] }));
    expect(await createDeliver(optionsOf(url))(request(5000))).toEqual([outcome]);
    expect(seen).toEqual([
      {
        path: '/deliver',
        authorization: `Bearer ${token}`,
        body: { commands: [{ id, waitFor: 'broker' }], timeoutMs: expect.any(Number) },
      },
    ]);
    expect(failures).toEqual([]);
  });

  const passing: [name: string, first: Respond][] = [
    ['a 503', (response) => json(response, 503, problem('bridge-unavailable'))],
    ['a cut connection', (response) => response.destroy()],
    [
      'an answer that is cut',
      (response) => {
        response.writeHead(200, { 'content-length': '1000' });
        response.write('{"outcomes":[', () => response.destroy());
      },
    ],
  ];
  test.each(passing)('asks again after %s', async (_, first) => {
    const url = await listen((response, call) =>
      call === 1 ? first(response, call) : json(response, 200, { outcomes: [outcome] }),
    );
    expect(await createDeliver(optionsOf(url))(request(10_000))).toEqual([outcome]);
    expect(seen).toHaveLength(2);
    const [before, after] = seen.map(({ body }) => (body as DeliverRequest).timeoutMs);
    expect(after).toBeLessThan(before ?? 0);
  });

  test('waits for a bridge that is starting', async () => {
    const port = await freePort();
    const asked = createDeliver(optionsOf(`http://127.0.0.1:${port}`))(request(20_000));
    setTimeout(() => listen((response) => json(response, 200, { outcomes: [] }), port), 300);
    expect(await asked).toEqual([]);
  });

  test('without time to wait it asks once', async () => {
    const url = await listen((response) => json(response, 503, {}));
    expect(await createDeliver(optionsOf(url))(request(0))).toBeUndefined();
    expect(seen).toHaveLength(1);
  });

  test('gives up a bridge that says nothing', async () => {
    const url = await listen(() => undefined);
    expect(await createDeliver(optionsOf(url))(request(50))).toBeUndefined();
    expect(failures).toEqual(['no answer in time']);
  });

  const unusable: [name: string, respond: Respond][] = [
    ['a refused token', (response) => json(response, 401, problem('unauthorized'))],
    ['no JSON', (response) => response.end('sent')],
    [
      'a status that is none',
      (response) => json(response, 200, { outcomes: [{ id, status: 'gone' }] }),
    ],
    ['no outcomes', (response) => json(response, 200, {})],
    ['more than 8 MB', (response) => json(response, 200, { outcomes: 'x'.repeat(9_000_000) })],
  ];
  test.each(unusable)('does not take %s for an answer, nor asks again', async (_, respond) => {
    const url = await listen(respond);
    expect(await createDeliver(optionsOf(url))(request(5000))).toBeUndefined();
    expect(seen).toHaveLength(1);
    expect(failures).toHaveLength(1);
    expect(failures.join()).not.toContain(token);
  });

  test('does not follow a redirect', async () => {
    const url = await listen((response) => {
      response.writeHead(307, { location: '/elsewhere' });
      response.end();
    });
    expect(await createDeliver(optionsOf(url))(request(0))).toBeUndefined();
    expect(seen.map(({ path }) => path)).toEqual(['/deliver']);
  });
});

describe('replay', () => {
  test('delivered', async () => {
    const url = await listen((response) => json(response, 200, { status: 'delivered' }));
    expect(await createReplay(optionsOf(url))('time#id')).toEqual({ ok: true });
    expect(seen).toMatchObject([{ path: '/dead-letters/replay', body: { id: 'time#id' } }]);
  });

  test.each(['not-found', 'route-unknown', 'handler-refused', 'handler-unavailable'] as const)(
    'the problem %s goes on to the caller',
    async (code) => {
      const said = problem(code, 'in words');
      const url = await listen((response) => json(response, said.status, said));
      expect(await createReplay(optionsOf(url))('a')).toEqual({ ok: false, problem: said });
    },
  );

  const lost = { ok: false, problem: problem('bridge-unavailable') };
  test.each([
    ['another problem', 401, problem('unauthorized')],
    ['none', 500, null],
  ])('%s is our own failure', async (_, status, body) => {
    const url = await listen((response) => json(response, status, body));
    expect(await createReplay(optionsOf(url))('a')).toEqual(lost);
  });

  test('nor is there a bridge', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    expect(await createReplay(optionsOf(url))('a')).toEqual(lost);
  });
});

describe('routes', () => {
  const lost = { ok: false, problem: problem('bridge-unavailable') };

  test('are told as the bridge tells them', async () => {
    // A newer bridge may say more.
    const routes = [{ ...routeStatus, more: 'x' }];
    const url = await listen((response) => json(response, 200, { routes }));
    expect(await createRouteControl(optionsOf(url)).list()).toEqual({
      ok: true,
      value: [routeStatus],
    });
    expect(seen).toMatchObject([{ path: '/routes', authorization: `Bearer ${token}` }]);
  });

  test('tell their history', async () => {
    const { series, attempts, states, changes } = routeHistory;
    const url = await listen((response) =>
      json(response, 200, { ...series, attempts, states, changes }),
    );
    const routes = createRouteControl(optionsOf(url));
    const request = { name: 'store', fromMs: 1, toMs: 2, stepSeconds: 60 };
    expect(await routes.series(request)).toEqual({ ok: true, value: series });
    expect(await routes.attempts('store')).toEqual({ ok: true, value: attempts });
    expect(await routes.states('store')).toEqual({ ok: true, value: states });
    expect(await routes.changes()).toEqual({ ok: true, value: changes });
    expect(seen).toMatchObject([
      { path: '/routes/series', body: request },
      { path: '/routes/attempts', body: { name: 'store' } },
      { path: '/routes/states', body: { name: 'store' } },
      { path: '/changes' },
    ]);
  });

  test('are changed in the name of the caller, however long that is', async () => {
    const url = await listen((response) => json(response, 200, routeStatus));
    const routes = createRouteControl(optionsOf(url));
    const by = 'x'.repeat(2000);
    expect(await routes.change('store', 'pause', by)).toEqual({ ok: true, value: routeStatus });
    const body = { name: 'store', by: by.slice(0, 512) };
    expect(seen).toMatchObject([{ path: '/routes/pause', body }]);
  });

  test('are tested, of a topic where one is named', async () => {
    const url = await listen((response) => json(response, 200, routeTest));
    const routes = createRouteControl(optionsOf(url));
    expect(await routes.test('store', 'a/b')).toEqual({ ok: true, value: routeTest });
    expect(seen).toMatchObject([{ path: '/routes/test', body: { name: 'store', topic: 'a/b' } }]);
  });

  test('a topic that the route does not have is told by its field', async () => {
    const said = problem('invalid-request', undefined, [{ field: 'topic', rule: 'must match' }]);
    const url = await listen((response) => json(response, said.status, said));
    expect(await createRouteControl(optionsOf(url)).test('store', 'x')).toEqual({
      ok: false,
      problem: said,
    });
  });

  test.each(['not-found', 'database-unavailable', 'rate-limited'] as const)(
    'the problem %s goes on to the caller',
    async (code) => {
      const said = problem(code, 'in words');
      const url = await listen((response) => json(response, said.status, said));
      const told = await createRouteControl(optionsOf(url)).change('store', 'resume', 'token:a');
      expect(told).toEqual({ ok: false, problem: said });
    },
  );

  test.each([
    ['another problem', 401, problem('unauthorized')],
    ['no routes', 200, {}],
    ['a state that is none', 200, { routes: [{ ...routeStatus, state: 'gone' }] }],
  ])('%s is our own failure', async (_, status, body) => {
    const url = await listen((response) => json(response, status, body));
    expect(await createRouteControl(optionsOf(url)).list()).toEqual(lost);
    expect(failures).toHaveLength(1);
  });

  test('nor is there a bridge', async () => {
    const routes = createRouteControl(optionsOf(`http://127.0.0.1:${await freePort()}`));
    expect(await routes.change('store', 'pause', 'token:a')).toEqual(lost);
  });
});
