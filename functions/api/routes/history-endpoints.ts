// /v1/routes/{name}/series, …/attempts, …/states and /v1/changes: what the bridge remembers of its routes.
import * as z from 'zod';
import { problemResponse } from '../../contract/problem.ts';
import {
  longStepSeconds,
  longStepsKeptSeconds,
  maxAttempts,
  maxChanges,
  maxPoints,
  routeAttemptSchema,
  routeChangesSchema,
  routeSeriesSchema,
  routeStateChangeSchema,
  shortStepSeconds,
  shortStepsKeptSeconds,
} from '../../contract/route-history.ts';
import type { RouteControl, Told } from '../bridge-client/route-control.ts';
import { wakeTimeoutSeconds } from '../bridge-client/timeouts.ts';
import { adminEndpoint, type Endpoint, invalid, type Operation } from '../interface/operation.ts';
import { limitParameter, timeParameter } from '../interface/parameters.ts';
import { routeNameParameters } from './route-name.ts';

const stepRule = `must be a whole number of seconds, a multiple of ${shortStepSeconds}, and from ${longStepSeconds} on of ${longStepSeconds}`;

const seriesQuery = z.strictObject({
  from: timeParameter.optional().describe('First step; default an hour before `to`.'),
  to: timeParameter.optional().describe('First step that no longer belongs to it; default now.'),
  step: z
    .string()
    .regex(/^[1-9]\d{0,4}$/, stepRule)
    .transform(Number)
    .refine((seconds) => seconds % shortStepSeconds === 0, stepRule)
    .refine((seconds) => seconds < longStepSeconds || seconds % longStepSeconds === 0, stepRule)
    .meta({ type: 'integer', minimum: shortStepSeconds, maximum: longStepsKeptSeconds })
    .default(longStepSeconds)
    .describe(
      `Seconds of a step: ${shortStepSeconds} or a multiple, which the last hour has, or ${longStepSeconds} or a multiple.`,
    ),
});

const series = {
  id: 'getRouteSeries',
  method: 'get',
  path: '/v1/routes/{name}/series',
  tag: 'Routes',
  summary: 'What a route did over time',
  description:
    'Of the last day, from the memory of the bridges, added up: after a restart of one, its part begins with nothing. It costs nothing but the call; no metric is written for it.',
  params: routeNameParameters,
  query: seriesQuery,
  waitSeconds: wakeTimeoutSeconds,
  answers: {
    200: {
      description: 'The steps in which the bridge ran.',
      content: { 'application/json': routeSeriesSchema },
    },
  },
  problems: ['forbidden', 'not-found', 'bridge-unavailable'],
} satisfies Operation<unknown, z.output<typeof seriesQuery>>;

const limitQuery = z.strictObject({ limit: limitParameter });

const attempts = {
  id: 'listRouteAttempts',
  method: 'get',
  path: '/v1/routes/{name}/attempts',
  tag: 'Routes',
  summary: 'The last requests to the handler of a route',
  description: `The newest first, ${maxAttempts} at most.`,
  params: routeNameParameters,
  query: limitQuery,
  waitSeconds: wakeTimeoutSeconds,
  answers: {
    200: {
      description: 'The requests.',
      content: {
        'application/json': z
          .strictObject({ attempts: z.array(routeAttemptSchema) })
          .meta({ id: 'RouteAttemptList' }),
      },
    },
  },
  problems: ['forbidden', 'not-found', 'bridge-unavailable'],
} satisfies Operation<unknown, z.output<typeof limitQuery>>;

const states = {
  id: 'listRouteStates',
  method: 'get',
  path: '/v1/routes/{name}/states',
  tag: 'Routes',
  summary: 'The states that a route has had',
  description:
    'The newest first, of a day, from the memory of the bridges. The oldest one may have begun before.',
  params: routeNameParameters,
  waitSeconds: wakeTimeoutSeconds,
  answers: {
    200: {
      description: 'The states.',
      content: {
        'application/json': z
          .strictObject({ states: z.array(routeStateChangeSchema) })
          .meta({ id: 'RouteStateList' }),
      },
    },
  },
  problems: ['forbidden', 'not-found', 'bridge-unavailable'],
} satisfies Operation;

const changes = {
  id: 'listChanges',
  method: 'get',
  path: '/v1/changes',
  tag: 'Routes',
  summary: 'What has changed: who paused what, what held and what recovered',
  description: `States of all routes, the newest first; the last ${maxChanges} at most.`,
  query: limitQuery,
  waitSeconds: wakeTimeoutSeconds,
  answers: {
    200: {
      description: 'The changes.',
      content: { 'application/json': routeChangesSchema.meta({ id: 'ChangeList' }) },
    },
  },
  problems: ['forbidden', 'bridge-unavailable'],
} satisfies Operation<unknown, z.output<typeof limitQuery>>;

/** What is served here, as types: a client is checked against them. */
export type RouteHistoryOperations =
  | typeof series
  | typeof attempts
  | typeof states
  | typeof changes;

export function routeHistoryEndpoints(
  routes: Pick<RouteControl, 'series' | 'attempts' | 'states' | 'changes'>,
  now: () => number = Date.now,
): Endpoint[] {
  const answer = <T>(told: Told<T>, body: (value: T) => object) =>
    told.ok ? Response.json(body(told.value)) : problemResponse(told.problem);
  return [
    adminEndpoint(series, async ({ params, query: { from, to, step } }) => {
      const toMs = to === undefined ? now() : Date.parse(to);
      const fromMs = from === undefined ? toMs - shortStepsKeptSeconds * 1000 : Date.parse(from);
      if ((toMs - fromMs) / 1000 > maxPoints * step)
        return invalid([
          { field: 'step', rule: `must be longer: an answer has at most ${maxPoints} points` },
        ]);
      const asked = { name: params.name, fromMs, toMs, stepSeconds: step };
      return answer(await routes.series(asked), (told) => told);
    }),
    adminEndpoint(attempts, async ({ params, query }) =>
      answer(await routes.attempts(params.name), (told) => ({
        attempts: told.slice(0, query.limit),
      })),
    ),
    adminEndpoint(states, async ({ params }) =>
      answer(await routes.states(params.name), (told) => ({ states: told })),
    ),
    adminEndpoint(changes, async ({ query }) =>
      answer(await routes.changes(), (told) => ({ changes: told.slice(0, query.limit) })),
    ),
  ];
}
