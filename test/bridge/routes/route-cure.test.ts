import { expect, test } from 'vitest';
import { routeCure } from '../../../bridge/routes/route-cure.ts';
import { routeStateNames } from '../../../functions/contract/route-status.ts';

test('there is something to do wherever messages do not flow, and nothing where they do', () => {
  // That of a removed route is told where its sessions are.
  const without = routeStateNames.filter((state) => routeCure({ state }) === undefined);
  expect(without).toEqual(['active', 'standby', 'removed']);
});

test('of a handler that takes nothing, by its answer where that is the reason', () => {
  const lastError = { at: '2026-01-31T12:00:00.000Z', status: 401, reason: 'the handler said 401' };
  const cure = (reason: string) => routeCure({ state: 'holding', reason, lastError });
  expect(cure('the handler said 401')).toContain('secret or token');
  expect(cure('connect ECONNREFUSED 127.0.0.1:1')).toContain('start the handler');
});
