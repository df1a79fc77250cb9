import { describe, expect, test } from 'vitest';
import { certificateConditions, routeConditions } from '../../../bridge/alerts/condition.ts';
import { cureOf } from '../../../bridge/alerts/cure.ts';
import { quietMs, RecentGrowth } from '../../../bridge/alerts/recent-growth.ts';
import type { RouteBrief } from '../../../bridge/routes/route-status.ts';

const route: RouteBrief = {
  name: 'store',
  state: 'active',
  holdingMs: 0,
  lastError: undefined,
  quarantinedMessages: 0,
  lostSessions: 0,
};
const conditionsOf = (change: Partial<RouteBrief>, recent = {}) =>
  routeConditions({ ...route, ...change }, recent, 100_000);

describe('a route', () => {
  test('that delivers, is paused, waits or starts is no condition', () => {
    for (const state of ['active', 'paused', 'standby', 'unknown', 'removed'] as const)
      expect(conditionsOf({ state })).toEqual([]);
  });

  test('holds since its handler failed, with the status of that very failure', () => {
    const reason = 'the handler answered 401';
    const lastError = { at: '2026-01-31T12:00:00Z', status: 401, reason };
    expect(conditionsOf({ state: 'holding', reason, holdingMs: 5000, lastError })).toEqual([
      { kind: 'holding', subject: 'store', reason, sinceMs: 95_000, status: 401 },
    ]);
    const other = { ...lastError, reason: 'another' };
    expect(conditionsOf({ state: 'holding', reason, lastError: other })[0]).not.toHaveProperty(
      'status',
    );
  });

  test('is disabled since a time that every bridge knows', () => {
    const since = '2026-01-31T12:00:00.000Z';
    expect(conditionsOf({ state: 'disabled', reason: 'gone', since })).toEqual([
      { kind: 'disabled', subject: 'store', reason: 'gone', sinceMs: Date.parse(since) },
    ]);
  });

  test('has dead letters and lost sessions beside that', () => {
    const recent = { quarantined: { count: 3, sinceMs: 1 }, lost: { count: 1, sinceMs: 2 } };
    expect(conditionsOf({ state: 'disconnected', reason: 'refused' }, recent)).toMatchObject([
      { kind: 'disconnected', reason: 'refused' },
      { kind: 'dead-letters', sinceMs: 1 },
      { kind: 'session-lost', sinceMs: 2 },
    ]);
  });
});

test('a count that grows again and again is one thing, until it is quiet for ten minutes', () => {
  const growth = new RecentGrowth();
  expect(growth.look(0, 0)).toBeUndefined();
  expect(growth.look(2, 1000)).toEqual({ count: 2, sinceMs: 1000 });
  expect(growth.look(5, 2000)).toEqual({ count: 5, sinceMs: 1000 });
  expect(growth.look(5, 2000 + quietMs - 1)).toEqual({ count: 5, sinceMs: 1000 });
  expect(growth.look(5, 2000 + quietMs)).toBeUndefined();
  expect(growth.look(6, 2001 + quietMs)).toEqual({ count: 1, sinceMs: 2001 + quietMs });
});

test('a certificate is one from 14 days before its end', () => {
  const nowMs = Date.parse('2026-01-31T12:00:00Z');
  const days = (count: number) => nowMs + count * 86_400_000;
  expect(
    certificateConditions({ broker: days(15), ca: days(14), client: days(-1) }, nowMs),
  ).toEqual([
    expect.objectContaining({ kind: 'certificate', subject: 'ca', sinceMs: nowMs }),
    expect.objectContaining({ kind: 'certificate', subject: 'client', sinceMs: days(-15) }),
  ]);
});

test.each([
  [{ status: 401, reason: 'the handler answered 401' }, /secret or token/],
  [{ status: 404, reason: 'the handler answered 404' }, /URL/],
  [{ status: 302, reason: 'the handler answered 302' }, /redirects/],
  [{ status: 500, reason: 'the handler answered 500' }, /log/],
  [{ reason: 'connect ECONNREFUSED 127.0.0.1:3000' }, /start the handler/],
  [{ reason: 'getaddrinfo ENOTFOUND shop' }, /host name/],
  [{ reason: 'no answer within 30000 ms' }, /timeoutMs/],
  [{ reason: "the handler's address is a private address: set allowPrivate …" }, /allowPrivate/],
  [{ reason: 'something that nobody knows' }, /Look at the handler/],
])('the cure of %j', (condition, cure) => {
  const text = cureOf({ kind: 'holding', subject: 'store', ...condition });
  expect(text).toMatch(cure);
  expect(text).toContain('/v1/routes/store/retry');
});
