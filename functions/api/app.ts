// The api as one Hono app: authentication first, then the endpoints; every error a problem document.
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { cors } from 'hono/cors';
import { secureHeaders } from 'hono/secure-headers';
import { type ProblemCode, problem, problemResponse } from '../contract/problem.ts';
import { requireBearer } from './access/bearer.ts';
import { IssuerUnavailableError } from './access/jwt.ts';
import type { ApiEnvironment, Authenticate } from './access/principal.ts';
import { createFailures, limitRequests, type RateLimit } from './access/rate-limit.ts';
import { documentRoutes } from './document/routes.ts';
import type { Endpoint } from './interface/operation.ts';

export interface ApiOptions {
  /** What is served, each behind authentication; `createEndpoints` gives all there are. */
  readonly endpoints: readonly Endpoint[];
  readonly authenticate: Authenticate;
  /** How much one caller, and one address with wrong tokens, may ask of this process. */
  readonly rateLimit?: RateLimit;
  /** Web origins whose pages may call, such as `https://console.example.com`. Default none. */
  readonly corsOrigins?: readonly string[];
  /** Told of failures that nobody should see in an answer. */
  readonly onError?: (error: Error) => void;
}

/**
 * The public interface as a Hono app.
 *
 * @example
 * const api = createApi({ endpoints: createEndpoints(parts), authenticate });
 * await api.request('/v1/topics', { headers: { authorization: `Bearer ${token}` } });
 */
export function createApi(options: ApiOptions): Hono<ApiEnvironment> {
  const { endpoints, authenticate, rateLimit = {}, corsOrigins = [], onError } = options;
  const app = new Hono<ApiEnvironment>();

  app.onError((error) => {
    onError?.(error);
    return problemResponse(problem(problemCodeOf(error)));
  });
  app.notFound(() => problemResponse(problem('not-found')));

  app.use(secureAnswers);
  if (corsOrigins.length > 0) app.use(allowOrigins(corsOrigins));
  app.use('/v1/*', async (context, next) => {
    await next();
    context.header('cache-control', 'no-store');
  });
  app.use('/v1/*', requireBearer(authenticate, createFailures(rateLimit)));
  app.use('/v1/*', limitRequests(rateLimit));
  for (const one of endpoints) mount(app, one);
  app.route('/', documentRoutes(endpoints.map(({ operation }) => operation)));
  return app;
}

/** Serves an endpoint at its path, written as Hono does: `:id` for `{id}`. */
function mount(app: Hono<ApiEnvironment>, { operation, handle }: Endpoint): void {
  const path = operation.path.replaceAll(/\{(\w+)\}/g, ':$1');
  if (operation.body === undefined) {
    app.on(operation.method.toUpperCase(), path, handle);
    return;
  }
  const { maxBytes } = operation.body;
  const limit = bodyLimit({
    maxSize: maxBytes,
    onError: () => problemResponse(problem('body-too-large', `at most ${maxBytes} bytes`)),
  });
  app.on(operation.method.toUpperCase(), path, limit, handle);
}

/** Nothing in an answer is to be run, shown in a frame or guessed at; a page brings its own policy, and keeps it. */
const secureAnswers = secureHeaders({
  contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
  xFrameOptions: 'DENY',
  overwrite: false,
});

/** Without credentials mode: callers send a token, and there are no cookies. */
function allowOrigins(origins: readonly string[]) {
  return cors({
    origin: [...origins],
    allowMethods: ['GET', 'POST', 'DELETE'],
    allowHeaders: ['authorization', 'content-type', 'idempotency-key'],
    exposeHeaders: ['location', 'link', 'retry-after', 'ratelimit', 'ratelimit-policy'],
    maxAge: 600,
  });
}

function problemCodeOf(error: Error): ProblemCode {
  if (error instanceof IssuerUnavailableError) return 'issuer-unavailable';
  return isLostDatabase(error) ? 'database-unavailable' : 'internal';
}

/** No answer from DynamoDB, or an error that it gives; only a request that it finds malformed is a bug of ours. */
function isLostDatabase(error: Error): boolean {
  const { code, $fault } = error as Error & Record<string, unknown>;
  if ($fault !== undefined) return error.name !== 'ValidationException';
  const isSystemError = typeof code === 'string' && /^E[A-Z]+$/.test(code);
  return isSystemError || error.name === 'TimeoutError';
}
