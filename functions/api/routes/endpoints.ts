// /v1/routes: the routes of the bridge, to be looked at, paused and resumed; and ended, where the config no longer has them.
import * as z from 'zod';
import { problem, problemResponse } from '../../contract/problem.ts';
import { type RouteChangeKind, routeStatusSchema } from '../../contract/route-status.ts';
import { routeTestSchema } from '../../contract/route-test.ts';
import type { Principal } from '../access/principal.ts';
import type { RouteControl } from '../bridge-client/route-control.ts';
import {
  changeTimeoutSeconds,
  testTimeoutSeconds,
  wakeTimeoutSeconds,
} from '../bridge-client/timeouts.ts';
import { adminEndpoint, type Endpoint, type Operation } from '../interface/operation.ts';
import { routeNameParameters } from './route-name.ts';

const one = {
  description: 'The route.',
  content: { 'application/json': routeStatusSchema },
};

const list = {
  id: 'listRoutes',
  method: 'get',
  path: '/v1/routes',
  tag: 'Routes',
  summary: 'The routes of the bridge, and where they stand',
  description:
    'Of several bridges, each has some of the connections of a route: their numbers are added up, and the state is that of the one that is worst off. A bridge that does not answer is missing.',
  waitSeconds: wakeTimeoutSeconds,
  answers: {
    200: {
      description: 'All routes.',
      content: {
        'application/json': z
          .strictObject({ routes: z.array(routeStatusSchema) })
          .meta({ id: 'RouteList' }),
      },
    },
  },
  problems: ['forbidden', 'bridge-unavailable'],
} satisfies Operation;

const read = {
  id: 'getRoute',
  method: 'get',
  path: '/v1/routes/{name}',
  tag: 'Routes',
  summary: 'A route of the bridge, and where it stands',
  params: routeNameParameters,
  waitSeconds: wakeTimeoutSeconds,
  answers: { 200: one },
  problems: ['forbidden', 'not-found', 'bridge-unavailable'],
} satisfies Operation;

/** What somebody asks of a route, which then answers with where it stands. */
const routeChange = {
  method: 'post',
  tag: 'Routes',
  params: routeNameParameters,
  commands: () => 1,
  waitSeconds: changeTimeoutSeconds,
  answers: { 200: one },
  problems: ['forbidden', 'not-found', 'bridge-unavailable'],
} as const satisfies Partial<Operation>;

const pause = {
  ...routeChange,
  id: 'pauseRoute',
  path: '/v1/routes/{name}/pause',
  summary: 'Send nothing more to the handler of a route',
  description:
    'From the answer on, no request starts; those in flight end. The broker keeps the backlog. It lasts until the route is resumed, also over restarts.',
} satisfies Operation;

const resume = {
  ...routeChange,
  id: 'resumeRoute',
  path: '/v1/routes/{name}/resume',
  summary: 'Send to the handler of a route again',
  description: 'Whether somebody paused it, or its handler answered 410 and so disabled it.',
} satisfies Operation;

const retry = {
  ...routeChange,
  id: 'retryRoute',
  path: '/v1/routes/{name}/retry',
  summary: 'Ask the handler of a route again now',
  description:
    'For a handler that has been mended: what waits for another try is sent at once, whatever Retry-After it asked for, and the waits start from the shortest again. Other bridges do so within two seconds. It changes nothing for a route that is paused or disabled: resume those, which does the same.',
} satisfies Operation;

const testQuery = z.strictObject({
  topic: z
    .string()
    .max(1024)
    .optional()
    .describe(
      "Topic of the event, where another one is wanted than the route's filter with `test` for its wildcards.",
    ),
});

const test = {
  id: 'testRoute',
  method: 'post',
  path: '/v1/routes/{name}/test',
  tag: 'Routes',
  summary: 'Send a test event to the handler of a route',
  description:
    "One event in the route's format, marked by the header `causeway-test: true` and by a user property of that name; the answer says what was sent, what came back, and what that would mean for a message. Also while the route is paused or disabled. It is no message: nothing is stored or counted, and the route's state stays. A route that stores gets an empty batch, which asks whether it can. One a second for each route.",
  params: routeNameParameters,
  query: testQuery,
  commands: () => 1,
  waitSeconds: testTimeoutSeconds,
  answers: {
    200: {
      description: 'What was sent and what came back, whatever that is.',
      content: { 'application/json': routeTestSchema },
    },
  },
  problems: ['forbidden', 'not-found', 'bridge-unavailable'],
} satisfies Operation<unknown, z.output<typeof testQuery>>;

const end = {
  id: 'endRoute',
  method: 'post',
  path: '/v1/routes/{name}/end',
  tag: 'Routes',
  summary: 'End the sessions of a route that the config no longer has',
  description:
    'What the broker still keeps for them is thrown away. Such a route is `removed`: it ends by itself once its backlog has become dead letters, up to 10,000 messages or 100 MB. A route of the config cannot be ended: 404.',
  params: routeNameParameters,
  answers: { 200: one },
  problems: ['forbidden', 'not-found', 'bridge-unavailable'],
} satisfies Operation;

/** What is served here, as types: a client is checked against them. */
export type RouteOperations =
  | typeof list
  | typeof read
  | typeof pause
  | typeof resume
  | typeof retry
  | typeof test
  | typeof end;

export function routeEndpoints(routes: Pick<RouteControl, 'list' | 'test' | 'change'>): Endpoint[] {
  const change = async ({ id }: Principal, name: string, kind: RouteChangeKind | 'end') => {
    const told = await routes.change(name, kind, id);
    return told.ok ? Response.json(told.value) : problemResponse(told.problem);
  };
  return [
    adminEndpoint(list, async () => {
      const told = await routes.list();
      return told.ok ? Response.json({ routes: told.value }) : problemResponse(told.problem);
    }),
    adminEndpoint(read, async ({ params }) => {
      const told = await routes.list();
      if (!told.ok) return problemResponse(told.problem);
      const route = told.value.find(({ name }) => name === params.name);
      return route === undefined ? problemResponse(problem('not-found')) : Response.json(route);
    }),
    adminEndpoint(pause, ({ principal, params }) => change(principal, params.name, 'pause')),
    adminEndpoint(resume, ({ principal, params }) => change(principal, params.name, 'resume')),
    adminEndpoint(retry, ({ principal, params }) => change(principal, params.name, 'retry')),
    adminEndpoint(test, async ({ params, query }) => {
      const told = await routes.test(params.name, query.topic);
      if (told.ok) return Response.json(told.value);
      const isBusy = told.problem.code === 'rate-limited';
      return problemResponse(told.problem, isBusy ? { 'retry-after': '1' } : {});
    }),
    adminEndpoint(end, ({ principal, params }) => change(principal, params.name, 'end')),
  ];
}
