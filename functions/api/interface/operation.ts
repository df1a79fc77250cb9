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
import type { ApiEnvironment, Principal } from '../access/principal.ts';
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
  readonly tag: 'Messages' | 'Commands' | 'Dead letters' | 'Presence' | 'Routes' | 'Replays';
  readonly summary: string;
  readonly description?: string;
  /** Object schema of the path's parameters. */
  readonly params?: z.ZodType<P>;
  /** Strict object schema of the query parameters; without one there are none. */
  readonly query?: z.ZodType<Q>;
  /** Object schema of the request headers that matter, in lower case. */
  readonly headers?: z.ZodType<H>;
  /** JSON body, of at most so many bytes; its schema also describes it in the document. */
  readonly body?: { readonly schema: z.ZodType<B>; readonly maxBytes: number };
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
      return serve({
        principal: context.get('principal'),
        params: params.value,
        query: query.value,
        headers: headers.value,
        body: body.value,
        bodyText,
      });
    },
  };
}

/** As {@link endpoint}, for callers that may do everything. */
export function adminEndpoint<P, Q, H, B>(
  operation: Operation<P, Q, H, B>,
  serve: (call: Call<P, Q, H, B>) => Promise<Response> | Response,
): Endpoint {
  return endpoint(operation, (call) =>
    call.principal.isAdmin ? serve(call) : problemResponse(problem('forbidden')),
  );
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
