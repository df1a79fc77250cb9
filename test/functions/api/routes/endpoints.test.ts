// Routes over HTTP: who may see and change them, and what the bridge is asked.
import { describe, expect, test } from 'vitest';
import { knownScopes, principalOf } from '../../../../functions/api/access/scopes.ts';
import type { RouteControl } from '../../../../functions/api/bridge-client/route-control.ts';
import { routeEndpoints } from '../../../../functions/api/routes/endpoints.ts';
import { problem } from '../../../../functions/contract/problem.ts';
import { call } from '../../../support/endpoints.ts';
import { routeStatus, routeTest } from '../../../support/route-status.ts';

const admin = principalOf('token:admin', knownScopes(['admin']));
const everythingElse = principalOf(
  'token:all',
  knownScopes(['read:#', 'read:$SYS/#', 'publish:#', 'delete:#']),
);

/** A bridge with one route, and what it was asked to change. */
class FakeBridge implements Pick<RouteControl, 'list' | 'test' | 'change'> {
  readonly changes: string[][] = [];
  readonly tests: Parameters<RouteControl['test']>[] = [];

  async list() {
    return { ok: true, value: [routeStatus] } as const;
  }

  async test(...asked: Parameters<RouteControl['test']>) {
    this.tests.push(asked);
    return { ok: true, value: routeTest } as const;
  }

  async change(...[name, kind, by]: Parameters<RouteControl['change']>) {
    this.changes.push([name, kind, by]);
    return name === routeStatus.name
      ? ({ ok: true, value: { ...routeStatus, state: 'paused' } } as const)
      : ({ ok: false, problem: problem('not-found') } as const);
  }
}

const ask = (
  bridge: Parameters<typeof routeEndpoints>[0],
  path: string,
  method = 'GET',
  who = admin,
) => call(routeEndpoints(bridge), who, `/v1/routes${path}`, { method });

describe('an admin', () => {
  test('sees all routes, and each', async () => {
    const bridge = new FakeBridge();
    expect((await ask(bridge, '')).body).toEqual({ routes: [routeStatus] });
    expect((await ask(bridge, '/store')).body).toEqual(routeStatus);
    expect((await ask(bridge, '/alarms')).status).toBe(404);
  });

  test('pauses, resumes, retries and ends them, by name and in the own name', async () => {
    const bridge = new FakeBridge();
    expect(await ask(bridge, '/store/pause', 'POST')).toMatchObject({
      status: 200,
      body: { state: 'paused' },
    });
    expect((await ask(bridge, '/store/resume', 'POST')).status).toBe(200);
    expect((await ask(bridge, '/store/retry', 'POST')).status).toBe(200);
    expect((await ask(bridge, '/store/end', 'POST')).status).toBe(200);
    expect((await ask(bridge, '/alarms/pause', 'POST')).status).toBe(404);
    expect(bridge.changes).toEqual([
      ['store', 'pause', 'token:admin'],
      ['store', 'resume', 'token:admin'],
      ['store', 'retry', 'token:admin'],
      ['store', 'end', 'token:admin'],
      ['alarms', 'pause', 'token:admin'],
    ]);
  });

  test('sends a test event, of a topic of its own where it names one', async () => {
    const bridge = new FakeBridge();
    expect((await ask(bridge, '/store/test', 'POST')).body).toEqual(routeTest);
    expect((await ask(bridge, '/store/test?topic=a/b', 'POST')).status).toBe(200);
    expect((await ask(bridge, '/store/test?name=a', 'POST')).status).toBe(400);
    expect(bridge.tests).toEqual([
      ['store', undefined],
      ['store', 'a/b'],
    ]);
  });

  test.each([
    '%252e%252e',
    'a%2Fb',
    '%00',
    'a b',
    'ä',
    'x'.repeat(41),
    '%F0%9F%92%A9',
    "'--",
    '{name}',
  ])('of a route called %s the bridge is not asked', async (name) => {
    const bridge = new FakeBridge();
    for (const [path, method] of [
      [`/${name}`, 'GET'],
      [`/${name}/pause`, 'POST'],
      [`/${name}/resume`, 'POST'],
      [`/${name}/end`, 'POST'],
    ])
      expect((await ask(bridge, path ?? '', method)).status).toBe(404);
    expect(bridge.changes).toEqual([]);
  });
});

test.each([
  ['', 'GET'],
  ['/store', 'GET'],
  ['/nobody', 'GET'],
  ['/store/pause', 'POST'],
  ['/nobody/resume', 'POST'],
  ['/store/end', 'POST'],
  ['/store/retry', 'POST'],
  ['/store/test', 'POST'],
])('others may do nothing, and learn nothing: %s', async (path, method) => {
  const bridge = new FakeBridge();
  const { status, body } = await ask(bridge, path, method, everythingElse);
  expect([status, body.code]).toEqual([403, 'forbidden']);
  expect([...bridge.changes, ...bridge.tests]).toEqual([]);
});
