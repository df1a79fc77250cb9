// The bridge's own HTTP: liveness, readiness, and the private way in for the api.
import { type Context, Hono, type MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import * as z from 'zod';
import {
  type DeliverRequest,
  deliverRequestSchema,
  type Outcome,
} from '../functions/contract/command.ts';
import { isCommandId } from '../functions/contract/command-item.ts';
import { type Parsed, parseWith } from '../functions/contract/parse.ts';
import { problem, problemResponse } from '../functions/contract/problem.ts';
import { secretCheck } from '../functions/contract/secret.ts';
import type { Replay } from './replay.ts';

export interface BridgeStatus {
  readonly ready: boolean;
  /** A line for each part that is not ready. */
  readonly problems: readonly string[];
}

export interface BridgeHttpOptions {
  readonly status: () => BridgeStatus;
  /** Prometheus exposition. */
  readonly metrics: () => Promise<{ text: string; contentType: string }>;
  /** Bearer token of what follows; without it both are off. */
  readonly token?: string | undefined;
  /** Undefined where another bridge does it. Absent where commands are off. */
  readonly deliver?: ((request: DeliverRequest) => Promise<Outcome[] | undefined>) | undefined;
  /** Absent where the quarantine is not in a table. */
  readonly replay?: Replay | undefined;
}

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

export function createBridgeHttp(options: BridgeHttpOptions): Hono {
  const { status, metrics, token, deliver, replay } = options;
  const app = new Hono();
  app.notFound(() => problemResponse(problem('not-found')));
  app.onError(() => problemResponse(problem('internal')));

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
  const limit = bodyLimit({
    maxSize: maxBodyBytes,
    onError: () => problemResponse(problem('body-too-large', `at most ${maxBodyBytes} bytes`)),
  });

  if (deliver !== undefined)
    app.post('/deliver', authorize, limit, async (context) => {
      const body = await bodyOf(context, deliverSchema);
      if (!body.ok) return body.response;
      const outcomes = await deliver(body.value);
      if (outcomes === undefined) return problemResponse(problem('bridge-unavailable', 'standby'));
      return context.json({ outcomes });
    });

  if (replay !== undefined)
    app.post('/dead-letters/replay', authorize, limit, async (context) => {
      const body = await bodyOf(context, replaySchema);
      if (!body.ok) return body.response;
      const fault = await replay(body.value.id).catch(() => problem('database-unavailable'));
      return fault === undefined ? context.json({ status: 'delivered' }) : problemResponse(fault);
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
