// Routes over HTTP: who may see and change them, and what the bridge is asked.
import { describe, expect, test } from 'vitest';
import { knownScopes, principalOf } from '../../../../functions/api/access/scopes.ts';
import { type RouteControl, routeEndpoints } from '../../../../functions/api/routes/endpoints.ts';
import { problem } from '../../../../functions/contract/problem.ts';
import { call } from '../../../support/endpoints.ts';
import { routeStatus } from '../../../support/route-status.ts';

const admin = principalOf('token:admin', knownScopes(['admin']));
const everythingElse = principalOf(
  'token:all',
  knownScopes(['read:#', 'read:$SYS/#', 'publish:#', 'delete:#']),
);

/** A bridge with one route, and what it was asked to change. */
class FakeBridge implements RouteControl {
  readonly changes: string[][] = [];

  async list() {
    return { ok: true, value: [routeStatus] } as const;
  }

  async change(...[name, kind, by]: Parameters<RouteControl['change']>) {
    this.changes.push([name, kind, by]);
    return name === routeStatus.name
      ? ({ ok: true, value: { ...routeStatus, state: 'paused' } } as const)
      : ({ ok: false, problem: problem('not-found') } as const);
  }
}

const ask = (bridge: RouteControl, path: string, method = 'GET', who = admin) =>
  call(routeEndpoints(bridge), who, `/v1/routes${path}`, { method });

describe('an admin', () => {
  test('sees all routes, and each', async () => {
    const bridge = new FakeBridge();
    expect((await ask(bridge, '')).body).toEqual({ routes: [routeStatus] });
    expect((await ask(bridge, '/store')).body).toEqual(routeStatus);
    expect((await ask(bridge, '/alarms')).status).toBe(404);
  });

  test('pauses and resumes them, by name and in the own name', async () => {
    const bridge = new FakeBridge();
    expect(await ask(bridge, '/store/pause', 'POST')).toMatchObject({
      status: 200,
      body: { state: 'paused' },
    });
    expect((await ask(bridge, '/store/resume', 'POST')).status).toBe(200);
    expect((await ask(bridge, '/alarms/pause', 'POST')).status).toBe(404);
    expect(bridge.changes).toEqual([
      ['store', 'pause', 'token:admin'],
      ['store', 'resume', 'token:admin'],
      ['alarms', 'pause', 'token:admin'],
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
])('others may do nothing, and learn nothing: %s', async (path, method) => {
  const bridge = new FakeBridge();
  const { status, body } = await ask(bridge, path, method, everythingElse);
  expect([status, body.code]).toEqual([403, 'forbidden']);
  expect(bridge.changes).toEqual([]);
});
