// An operation of the api: what it takes and what it answers, in the one form that requests are checked with and
// the OpenAPI document is made from. So the document cannot say anything else than the code does.
import type { Context } from 'hono';
import type * as z from 'zod';
import { type Parsed, parseWith } from '../../contract/parse.ts';
import {
  type FieldFault,
  type ProblemCode,
  problem,
  problemResponse,
} from '../../contract/problem.ts';
import type { ApiEnvironment, Spending } from '../access/api-environment.ts';
import type { Principal } from '../access/principal.ts';
import { missingAdmin } from '../access/scopes.ts';
import { refuseWait, unlimited } from '../access/spending.ts';
import { readJsonBody } from './request-body.ts';

/** A successful answer; `content` has a schema for each media type, none where there is no body. */
export interface Answer {
  readonly description: string;
  readonly content?: Readonly<Record<string, z.ZodType>>;
  /** Headers that it may have, with what they say. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Operation<P = unknown, Q = unknown, H = unknown, B = unknown> {
  /** operationId of the document. */
  readonly id: string;
  readonly method: 'get' | 'post' | 'delete';
  /** With parameters in braces, as OpenAPI writes them: `/v1/commands/{id}`. */
  readonly path: `/v1/${string}`;
  readonly tag:
    | 'Messages'
    | 'Commands'
    | 'Dead letters'
    | 'Presence'
    | 'Routes'
    | 'Replays'
    | 'Access';
  readonly summary: string;
  readonly description?: string;
  /** Object schema of the path's parameters. */
  readonly params?: z.ZodType<P>;
  /** Strict object schema of the query parameters; without one there are none. */
  readonly query?: z.ZodType<Q>;
  /** Object schema of the request headers that matter, in lower case. */
  readonly headers?: z.ZodType<H>;
  /** JSON body, of at most so many bytes; its schema also describes it in the document. */
  readonly body?: {
    readonly schema: z.ZodType<B>;
    readonly maxBytes: number;
    /** What fits, in the problem with a body that is too large. */
    readonly fits?: string;
  };
  /** What it writes, in commands: one costs about six write units. Default nothing. */
  commands?(body: B): number;
  /** How long it may wait for the bridge, at most; one for which the caller has no time left is refused. */
  readonly waitSeconds?: number;
  readonly answers: Readonly<Record<number, Answer>>;
  /** Problems of this operation alone, beside those that any may have. */
  readonly problems: readonly ProblemCode[];
}

/** A request that has been checked. */
export interface Call<P, Q, H, B> {
  readonly principal: Principal;
  readonly params: P;
  readonly query: Q;
  readonly headers: H;
  readonly body: B;
  /** The body as it was sent; empty where there is none. */
  readonly bodyText: string;
  /** What the call may spend; its caller is charged for it. */
  readonly spending: Spending;
  /** Whether the caller's token is good still: for answers that stay open. */
  readonly isStillAllowed: () => Promise<boolean>;
}

/** An operation and what serves it. */
export interface Endpoint {
  readonly operation: Operation;
  readonly handle: (context: Context<ApiEnvironment>) => Promise<Response>;
}

/** Joins an operation to the function that serves it, which gets only requests that keep to the schemas. */
export function endpoint<P, Q, H, B>(
  operation: Operation<P, Q, H, B>,
  serve: (call: Call<P, Q, H, B>) => Promise<Response> | Response,
): Endpoint {
  return {
    operation,
    async handle(context) {
      const params = parsePart(operation.params, context.req.param());
      // A path that no resource can have is a resource that there is not.
      if (!params.ok) return problemResponse(problem('not-found'));
      const query = parseQuery(context, operation.query);
      if (!query.ok) return invalid(query.faults);
      const headers = parsePart(operation.headers, context.req.header());
      if (!headers.ok) return invalid(headers.faults);
      let bodyText = '';
      let body: Parsed<B> = { ok: true, value: undefined as B };
      if (operation.body !== undefined) {
        const read = await readJsonBody(context.req.raw);
        if (read.problem !== undefined) return problemResponse(read.problem);
        bodyText = read.text;
        body = parseWith(operation.body.schema, read.value) as Parsed<B>;
        if (!body.ok) return invalid(body.faults);
      }
      const spending = context.get('spending') ?? unlimited();
      const commands = operation.commands?.(body.value) ?? 0;
      const refused =
        commands > 0 && (await spending.writes(commands, Buffer.byteLength(bodyText)));
      if (refused) return refused;
      const asked = {
        principal: context.get('principal'),
        params: params.value,
        query: query.value,
        headers: headers.value,
        body: body.value,
        bodyText,
        spending,
        isStillAllowed: context.get('isStillAllowed') ?? (async () => true),
      };
      if (operation.waitSeconds === undefined) return serve(asked);
      const wait = await spending.wait(operation.waitSeconds);
      if (wait === undefined) return refuseWait();
      try {
        return await serve(asked);
      } finally {
        wait.end();
      }
    },
  };
}

/** As {@link endpoint}, for callers that may do everything. */
export function adminEndpoint<P, Q, H, B>(
  operation: Operation<P, Q, H, B>,
  serve: (call: Call<P, Q, H, B>) => Promise<Response> | Response,
): Endpoint {
  return endpoint(operation, (call) => (call.principal.isAdmin ? serve(call) : missingAdmin()));
}

/** An answer to a field of the request that is wrong. */
export function invalid(faults: readonly FieldFault[]): Response {
  return problemResponse(problem('invalid-request', undefined, faults));
}

function parsePart<T>(schema: z.ZodType<T> | undefined, input: unknown): Parsed<T> {
  return schema === undefined
    ? { ok: true, value: undefined as T }
    : (parseWith(schema, input) as Parsed<T>);
}

/** The query parameters, each given at most once. */
function parseQuery<T>(
  context: Context<ApiEnvironment>,
  schema: z.ZodType<T> | undefined,
): Parsed<T> {
  const query = context.req.queries();
  const fault = (rule: string) => (field: string) => ({ field, rule });
  const doubled = Object.keys(query).filter((name) => query[name]?.length !== 1);
  if (doubled.length > 0) return { ok: false, faults: doubled.map(fault('must be given once')) };
  if (schema !== undefined) return parseWith(schema, context.req.query()) as Parsed<T>;
  const names = Object.keys(query);
  if (names.length > 0) return { ok: false, faults: names.map(fault('is not a known field')) };
  return { ok: true, value: undefined as T };
}
