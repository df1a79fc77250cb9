// The bridge's own HTTP: liveness, readiness, and the private way in for the api.
import { type Context, Hono, type MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import * as z from 'zod';
import { byDeclaredSize } from '../functions/contract/body-limit.ts';
import {
  type DeliverRequest,
  deliverRequestSchema,
  type Outcome,
} from '../functions/contract/command.ts';
import { maxIdBytes } from '../functions/contract/message.ts';
import { type Parsed, parseWith } from '../functions/contract/parse.ts';
import { problem, problemResponse } from '../functions/contract/problem.ts';
import {
  maxChanges,
  routeNameRequestSchema,
  routeSeriesRequestSchema,
} from '../functions/contract/route-history.ts';
import { routeChangeSchema } from '../functions/contract/route-status.ts';
import { routeTestRequestSchema } from '../functions/contract/route-test.ts';
import { secretCheck } from '../functions/contract/secret.ts';
import { isCommandId } from '../functions/table/command-id.ts';
import type { Replay } from './dead-letters/dead-letter-replay.ts';
import type { Route } from './routes/route.ts';
import type { LeftSessions } from './session-ledger/left-sessions.ts';

export interface BridgeStatus {
  readonly ready: boolean;
  /** A line for each part that is not ready. */
  readonly problems: readonly string[];
}

export interface BridgeHttpOptions {
  readonly status: () => BridgeStatus;
  /** Prometheus exposition. */
  readonly metrics: () => Promise<{ text: string; contentType: string }>;
  /** Bearer token of what follows; without it all of it is off. */
  readonly token?: string | undefined;
  /** Undefined where another bridge does it. Absent where commands are off. */
  readonly deliver?:
    | ((request: DeliverRequest, date?: string) => Promise<Outcome[] | undefined>)
    | undefined;
  /** Absent where dead letters are not kept in a table. */
  readonly replay?: Replay | undefined;
  /** Looks for replays at once. Absent where there are none. */
  readonly wakeReplays?: (() => void) | undefined;
  readonly routes?: readonly ControlledRoute[];
  /** Sessions of routes, and whole routes, that the config no longer has. */
  readonly leftSessions?: Pick<LeftSessions, 'removedRoutes' | 'warningsOf' | 'end'>;
}

/** A route that can be looked at, paused and resumed, and tells of its messages. */
export type ControlledRoute = Pick<
  Route,
  'status' | 'change' | 'test' | 'waitingTraces' | 'history'
> & {
  readonly config: { readonly name: string };
};

/** Holds 1,000 commands of 53 characters, and a dead letter's id. */
const maxBodyBytes = 256 * 1024;

const deliverSchema = deliverRequestSchema.superRefine(({ commands }, context) => {
  for (const [index, { id }] of commands.entries()) {
    if (!isCommandId(id))
      context.addIssue({
        code: 'custom',
        path: ['commands', index, 'id'],
        message: 'must be the id of a command',
      });
  }
});

/** Sort keys have at most 1,024 bytes. */
const replaySchema = z.strictObject({
  id: z
    .string()
    .min(1)
    .refine((id) => Buffer.byteLength(id) <= 1024, 'must be at most 1024 bytes in UTF-8'),
});

/** With a route: whether the bridge has it. */
const wakeSchema = z.strictObject({ route: z.string().min(1).max(256).optional() });

const traceSchema = z.strictObject({ id: z.string().min(1).max(maxIdBytes) });

export function createBridgeHttp(options: BridgeHttpOptions): Hono {
  const {
    status,
    metrics,
    token,
    deliver,
    replay,
    wakeReplays,
    routes = [],
    leftSessions,
  } = options;
  const app = new Hono();
  app.notFound(() => problemResponse(problem('not-found')));
  app.onError(() => problemResponse(problem('internal')));
  // Who asks a bridge that cannot serve it must connect again, and may reach another one.
  app.use(async (context, next) => {
    await next();
    if (context.res.status === 503) context.header('connection', 'close');
  });

  // Liveness never depends on a handler or broker: restarting the bridge would not mend those.
  app.get('/healthz', (context) => context.json({ status: 'ok' }));
  app.get('/readyz', (context) => {
    const { ready, problems } = status();
    return context.json({ status: ready ? 'ready' : 'not ready', problems }, ready ? 200 : 503);
  });

  app.get('/metrics', async (context) => {
    const { text, contentType } = await metrics();
    return context.body(text, 200, { 'content-type': contentType });
  });

  if (token === undefined) return app;
  const isAuthorized = secretCheck(`Bearer ${token}`);
  const authorize: MiddlewareHandler = async (context, next) =>
    isAuthorized(context.req.header('authorization') ?? '')
      ? next()
      : problemResponse(problem('unauthorized'));
  const limit = byDeclaredSize(bodyLimit, {
    maxSize: maxBodyBytes,
    onError: () => problemResponse(problem('body-too-large', `at most ${maxBodyBytes} bytes`)),
  });

  /** Answers those whose body keeps to the schema. */
  function post<S extends z.ZodType>(
    path: string,
    schema: S,
    answer: (body: z.output<S>, context: Context) => Response | Promise<Response>,
  ): void {
    app.post(path, authorize, limit, async (context) => {
      const body = await bodyOf(context, schema);
      return body.ok ? answer(body.value, context) : body.response;
    });
  }

  if (deliver !== undefined)
    post('/deliver', deliverSchema, async (body, context) => {
      const outcomes = await deliver(body, context.req.header('date'));
      if (outcomes === undefined) return problemResponse(problem('bridge-unavailable', 'standby'));
      return context.json({ outcomes });
    });

  if (replay !== undefined)
    post('/dead-letters/replay', replaySchema, async ({ id }, context) => {
      try {
        const fault = await replay(id);
        if (fault !== undefined) return problemResponse(fault.problem);
        return context.json({ status: 'delivered' });
      } catch {
        return problemResponse(problem('database-unavailable'));
      }
    });
  if (wakeReplays !== undefined)
    post('/replays', wakeSchema, ({ route }, context) => {
      if (route !== undefined && !routes.some(({ config }) => config.name === route))
        return problemResponse(problem('route-unknown', `route ${route}`));
      wakeReplays();
      return context.json({ status: 'woken' });
    });

  post('/traces', traceSchema, ({ id }, context) => {
    return context.json({ traces: routes.flatMap((route) => route.waitingTraces(id)) });
  });

  app.get('/routes', authorize, (context) =>
    context.json({
      routes: [
        ...routes.map((route) => route.status(leftSessions?.warningsOf(route.config.name))),
        ...(leftSessions?.removedRoutes() ?? []),
      ],
    }),
  );
  const routeNamed = (name: string) => routes.find(({ config }) => config.name === name);
  post(
    '/routes/series',
    routeSeriesRequestSchema,
    ({ name, fromMs, toMs, stepSeconds }, context) => {
      const series = routeNamed(name)?.history.series(fromMs, toMs, stepSeconds);
      return series === undefined ? problemResponse(problem('not-found')) : context.json(series);
    },
  );
  for (const kind of ['attempts', 'states'] as const)
    post(`/routes/${kind}`, routeNameRequestSchema, ({ name }, context) => {
      const told = routeNamed(name)?.history[kind]();
      return told === undefined
        ? problemResponse(problem('not-found'))
        : context.json({ [kind]: told });
    });
  app.get('/changes', authorize, (context) => {
    const changes = routes.flatMap(({ config: { name }, history }) =>
      history.states().map((change) => ({ ...change, route: name })),
    );
    changes.sort((a, b) => Date.parse(b.at) - Date.parse(a.at));
    return context.json({ changes: changes.slice(0, maxChanges) });
  });
  for (const kind of ['pause', 'resume', 'retry'] as const)
    post(`/routes/${kind}`, routeChangeSchema, async ({ name, by }, context) => {
      const route = routeNamed(name);
      if (route === undefined) return problemResponse(problem('not-found'));
      const changed = await route.change(kind, by);
      // A replay into the route may have waited for it.
      if (kind !== 'pause') wakeReplays?.();
      if (changed !== undefined) return context.json(changed);
      return problemResponse(problem('database-unavailable', 'the state could not be stored'));
    });
  post('/routes/test', routeTestRequestSchema, async ({ name, topic }, context) => {
    const route = routeNamed(name);
    if (route === undefined) return problemResponse(problem('not-found'));
    const outcome = await route.test(topic);
    if (outcome.kind === 'tested') return context.json(outcome.test);
    if (outcome.kind === 'busy')
      return problemResponse(problem('rate-limited', 'one test of a route a second'));
    return problemResponse(
      problem('invalid-request', undefined, [{ field: 'topic', rule: outcome.rule }]),
    );
  });
  post('/routes/end', routeChangeSchema, async ({ name }, context) => {
    const { outcome, status } = (await leftSessions?.end(name)) ?? { outcome: 'unknown' };
    if (outcome === 'ended') return context.json(status);
    const isUnknown = outcome === 'unknown';
    return problemResponse(
      isUnknown
        ? problem('not-found', 'only a route that the config no longer has can be ended')
        : problem(
            'bridge-unavailable',
            'another bridge has a session of it, or the broker is away',
          ),
    );
  });
  return app;
}

type Body<T> = { readonly ok: true; readonly value: T } | { ok: false; response: Response };

async function bodyOf<S extends z.ZodType>(
  context: Context,
  schema: S,
): Promise<Body<z.output<S>>> {
  let body: unknown;
  try {
    body = JSON.parse(await context.req.text());
  } catch {
    return { ok: false, response: problemResponse(problem('invalid-json')) };
  }
  const parsed: Parsed<z.output<S>> = parseWith(schema, body);
  if (parsed.ok) return parsed;
  return {
    ok: false,
    response: problemResponse(problem('invalid-request', undefined, parsed.faults)),
  };
}
