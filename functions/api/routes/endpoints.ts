// /v1/routes: the routes of the bridge, to be looked at, paused and resumed.
import * as z from 'zod';
import { type Problem, problem, problemResponse } from '../../contract/problem.ts';
import { type RouteStatus, routeStatusSchema } from '../../contract/route-status.ts';
import type { Principal } from '../access/principal.ts';
import { adminEndpoint, type Endpoint, type Operation } from '../interface/operation.ts';

/** What the bridge tells, or why it does not. */
export type Told<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: Problem };

/** The bridge, as far as its routes go. */
export interface RouteControl {
  list(): Promise<Told<readonly RouteStatus[]>>;
  /** `by` is whoever wants it. */
  change(name: string, kind: 'pause' | 'resume', by: string): Promise<Told<RouteStatus>>;
}

const nameParameters = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,40}$/)
    .meta({ description: 'The name of the route, as in the config.', examples: ['store'] }),
});

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
    'As the bridge that answers sees them. Of two bridges the one that is on standby says `standby`, and its numbers are of itself alone.',
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
  params: nameParameters,
  answers: { 200: one },
  problems: ['forbidden', 'not-found', 'bridge-unavailable'],
} satisfies Operation;

const pause = {
  id: 'pauseRoute',
  method: 'post',
  path: '/v1/routes/{name}/pause',
  tag: 'Routes',
  summary: 'Send nothing more to the handler of a route',
  description:
    'From the answer on, no request starts; those in flight end. The broker keeps the backlog. It lasts until the route is resumed, also over restarts.',
  params: nameParameters,
  answers: { 200: one },
  problems: ['forbidden', 'not-found', 'bridge-unavailable'],
} satisfies Operation;

const resume = {
  id: 'resumeRoute',
  method: 'post',
  path: '/v1/routes/{name}/resume',
  tag: 'Routes',
  summary: 'Send to the handler of a route again',
  description: 'Whether somebody paused it, or its handler answered 410 and so disabled it.',
  params: nameParameters,
  answers: { 200: one },
  problems: ['forbidden', 'not-found', 'bridge-unavailable'],
} satisfies Operation;

export function routeEndpoints(routes: RouteControl): Endpoint[] {
  const change = async ({ id }: Principal, name: string, kind: 'pause' | 'resume') => {
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
  ];
}
