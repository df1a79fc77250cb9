// The api as one Hono app: authentication first, then the endpoints; every error a problem document.
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { compress } from 'hono/compress';
import { cors } from 'hono/cors';
import { secureHeaders } from 'hono/secure-headers';
import { byDeclaredSize } from '../contract/body-limit.ts';
import { loadOnce } from '../contract/load-once.ts';
import { type ProblemCode, problem, problemResponse } from '../contract/problem.ts';
import type { IssuerSignIn } from '../contract/sign-in.ts';
import { TailTooLong } from '../reading/log-view.ts';
import type { ApiEnvironment } from './access/api-environment.ts';
import { requireBearer } from './access/bearer.ts';
import { IssuerUnavailableError } from './access/jwt.ts';
import type { Authenticate } from './access/principal.ts';
import { createFailures, limitRequests, type RateLimit } from './access/rate-limit.ts';
import { type Allowances, chargeCallers } from './access/spending.ts';
import { consolePaths, consoleRoutes, docsScriptOf, type LoadConsole } from './console-files.ts';
import { documentPaths, documentRoutes } from './document/routes.ts';
import type { Endpoint, Operation } from './interface/operation.ts';

export interface ApiOptions {
  /** What is served, each behind authentication; `createEndpoints` gives all there are. */
  readonly endpoints: readonly Endpoint[];
  readonly authenticate: Authenticate;
  /** How much one caller, and one address with wrong tokens, may ask of this process. */
  readonly rateLimit?: RateLimit;
  /** What one caller may spend over all processes; default without a limit. */
  readonly allowances?: Allowances;
  /** Whether answers are compressed for who takes it: what leaves AWS is paid by the byte. Default false. */
  readonly compresses?: boolean;
  /** The built console, served at `/`. Default none. */
  readonly console?: LoadConsole;
  /** Where people who open the console can sign in. Default with a token alone. */
  readonly signIn?: IssuerSignIn | undefined;
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
  const {
    endpoints,
    authenticate,
    rateLimit = {},
    corsOrigins = [],
    onError,
    allowances,
    compresses = false,
  } = options;
  const app = new Hono<ApiEnvironment>();

  app.onError((error) => {
    onError?.(error);
    return problemResponse(problem(problemCodeOf(error)));
  });
  const methodsOf = methodsByPath(
    endpoints.map(({ operation }) => operation),
    options.console === undefined ? documentPaths : [...documentPaths, ...consolePaths],
  );
  app.notFound((context) => {
    const allow = methodsOf(context.req.path);
    return allow.length === 0
      ? problemResponse(problem('not-found'))
      : problemResponse(problem('method-not-allowed'), { allow: allow.join(', ') });
  });

  if (compresses) app.use(compress());
  app.use(secureAnswers);
  if (corsOrigins.length > 0) app.use(allowOrigins(corsOrigins));
  app.use('/v1/*', async (context, next) => {
    await next();
    // Not by context.header(), which would make a finished answer again, of a stream.
    context.res.headers.set('cache-control', 'no-store');
  });
  app.use('/v1/*', requireBearer(authenticate, createFailures(rateLimit)));
  app.use('/v1/*', limitRequests(rateLimit));
  if (allowances !== undefined) app.use('/v1/*', chargeCallers(allowances));
  for (const one of endpoints) mount(app, one);
  const files = options.console && loadOnce(options.console);
  const operations = endpoints.map(({ operation }) => operation);
  app.route('/', documentRoutes(operations, files && (() => docsScriptOf(files))));
  if (files !== undefined) app.route('/', consoleRoutes(files, options.signIn));
  return app;
}

/** Serves an endpoint at its path, written as Hono does: `:id` for `{id}`. */
function mount(app: Hono<ApiEnvironment>, { operation, handle }: Endpoint): void {
  const path = operation.path.replaceAll(/\{(\w+)\}/g, ':$1');
  if (operation.body === undefined) {
    app.on(operation.method.toUpperCase(), path, handle);
    return;
  }
  const { maxBytes, fits } = operation.body;
  const limit = byDeclaredSize(bodyLimit, {
    maxSize: maxBytes,
    onError: () =>
      problemResponse(
        problem(
          'body-too-large',
          `at most ${maxBytes} bytes${fits === undefined ? '' : `: ${fits}`}`,
        ),
      ),
  });
  app.on(operation.method.toUpperCase(), path, limit, handle);
}

/** The methods of what stands at a path; none where nothing does. */
function methodsByPath(
  operations: readonly Operation[],
  paths: readonly string[],
): (path: string) => string[] {
  const documents = paths.map((path) => ({ method: 'get', path }));
  const resources = [...operations, ...documents].map(({ method, path }) => ({
    pattern: new RegExp(
      `^${path.replaceAll('.', String.raw`\.`).replaceAll(/\{\w+\}/g, '[^/]+')}$`,
    ),
    methods: method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()],
  }));
  return (path) => [
    ...new Set(resources.flatMap(({ pattern, methods }) => (pattern.test(path) ? methods : []))),
  ];
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
    allowHeaders: ['authorization', 'content-type', 'idempotency-key', 'last-event-id'],
    exposeHeaders: ['location', 'link', 'retry-after', 'ratelimit', 'ratelimit-policy'],
    maxAge: 600,
  });
}

function problemCodeOf(error: Error): ProblemCode {
  if (error instanceof IssuerUnavailableError) return 'issuer-unavailable';
  const isUnavailable = isLostDatabase(error) || error instanceof TailTooLong;
  return isUnavailable ? 'database-unavailable' : 'internal';
}

/** No answer from DynamoDB, or an error that it gives; only a request that it finds malformed is a bug of ours. */
function isLostDatabase(error: Error): boolean {
  const { code, $fault } = error as Error & Record<string, unknown>;
  if ($fault !== undefined) return error.name !== 'ValidationException';
  const isSystemError = typeof code === 'string' && /^E[A-Z]+$/.test(code);
  return isSystemError || error.name === 'TimeoutError';
}
