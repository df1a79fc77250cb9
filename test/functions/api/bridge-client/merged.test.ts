// What several bridges tell of the same routes, as one answer.
import { describe, expect, test } from 'vitest';
import {
  mergedAttempts,
  mergedRoutes,
  mergedSeries,
  mergedStates,
} from '../../../../functions/api/bridge-client/merged.ts';
import type { RouteStatus } from '../../../../functions/contract/route-status.ts';
import { routeHistory, routeStatus } from '../../../support/route-status.ts';

const at = (seconds: number) => new Date(Date.UTC(2026, 0, 31, 12, 0, seconds)).toISOString();
const quiet: RouteStatus = {
  name: 'store',
  filter: '#',
  handler: 'ingest.example',
  state: 'active',
  sessions: [],
  unsettledMessages: 0,
  requestsInFlight: 0,
  concurrencyLimit: 4,
  deliveredPerSecond: 0,
  receivedMessages: 0,
  deliveredMessages: 0,
  retriedMessages: 0,
  quarantinedMessages: 0,
};

describe('routes', () => {
  test('of one bridge stay as they are', () => {
    expect(mergedRoutes([[routeStatus]])).toEqual([routeStatus]);
  });

  test('of two are added up, and each connection is told by who has it', () => {
    const [merged] = mergedRoutes([
      [
        {
          ...quiet,
          sessions: [{ state: 'active' }, { state: 'standby' }],
          receivedMessages: 5,
          deliveredPerSecond: 1.5,
          warnings: ['one'],
        },
      ],
      [
        {
          ...quiet,
          state: 'holding',
          reason: 'the handler answered 503',
          holdingSince: at(5),
          sessions: [{ state: 'standby' }, { state: 'disconnected', reason: 'no answer' }],
          receivedMessages: 7,
          deliveredPerSecond: 2,
          warnings: ['one', 'two'],
          lastError: { at: at(3), reason: 'later' },
        },
      ],
    ]);
    expect(merged).toEqual({
      ...quiet,
      state: 'holding',
      reason: 'the handler answered 503',
      holdingSince: at(5),
      sessions: [{ state: 'active' }, { state: 'disconnected', reason: 'no answer' }],
      concurrencyLimit: 8,
      receivedMessages: 12,
      deliveredPerSecond: 3.5,
      warnings: ['one', 'two'],
      lastError: { at: at(3), reason: 'later' },
    });
  });

  test.each<[RouteStatus['state'][], RouteStatus['state']]>([
    [['standby', 'active'], 'active'],
    [['standby', 'standby'], 'standby'],
    [['active', 'paused', 'holding'], 'paused'],
    [['removed', 'active'], 'active'],
    [['removed', 'removed'], 'removed'],
  ])('states %j are %s', (states, merged) => {
    const told = states.map((state) => [{ ...quiet, state, receivedMessages: 3 }]);
    expect(mergedRoutes(told)[0]?.state).toBe(merged);
  });

  test('a route that only some bridges have is there once', () => {
    const told = [[quiet], [quiet, { ...quiet, name: 'new' }]];
    expect(mergedRoutes(told).map(({ name }) => name)).toEqual(['store', 'new']);
  });
});

test('series are added up by step; a percentile is that of the slowest bridge', () => {
  const { series } = routeHistory;
  const [point] = series.points;
  if (point === undefined) throw new Error('no point');
  const other = {
    ...series,
    since: at(0),
    points: [
      { ...point, delivered: 3, batchMessages: 3.5, p50Ms: 9 },
      { ...point, at: at(60), delivered: 1 },
    ],
  };
  const merged = mergedSeries([series, other]);
  expect(merged.points.map((each) => each.at)).toEqual([point.at, at(60)]);
  expect(merged.points[0]).toMatchObject({
    received: 4,
    delivered: 4,
    batchMessages: 3,
    p50Ms: 9,
    concurrencyLimit: 8,
    backlogMessages: 3,
  });
});

test('attempts of all bridges are in order, the newest first', () => {
  const [attempt] = routeHistory.attempts;
  if (attempt === undefined) throw new Error('no attempt');
  const told = [
    [{ ...attempt, at: at(2) }],
    [
      { ...attempt, at: at(3) },
      { ...attempt, at: at(1) },
    ],
  ];
  expect(mergedAttempts(told).map((each) => each.at)).toEqual([at(3), at(2), at(1)]);
});

test('a pause that all bridges came to is told once', () => {
  const paused = { state: 'paused', before: 'active', by: 'a' } as const;
  const told = [
    [{ ...paused, at: at(10) }],
    [{ ...paused, at: at(9) }, { state: 'active', at: at(1) } as const],
  ];
  expect(mergedStates(told).map((each) => each.at)).toEqual([at(9), at(1)]);
});
