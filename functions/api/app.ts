// The api as one Hono app: authentication first, then the resources; every error a problem document.
import { Hono } from 'hono';
import { bearerAuth } from 'hono/bearer-auth';
import { HTTPException } from 'hono/http-exception';
import { secureHeaders } from 'hono/secure-headers';
import { problem, problemResponse } from '../contract/problem.ts';
import { secretCheck } from '../contract/secret.ts';
import type { Deliver } from './bridge.ts';
import { messageRoutes } from './messages.ts';
import { publishRoutes } from './publish.ts';
import type { Reader } from './reader.ts';

export interface ApiOptions {
  readonly reader: Reader;
  readonly deliver: Deliver;
  /** The bearer token that callers need. */
  readonly token: string;
  /** Told of failures that nobody should see in an answer. */
  readonly onError?: (error: Error) => void;
}

/**
 * The public interface as a Hono app.
 *
 * @example
 * const api = createApi({ reader, deliver, token });
 * await api.request('/v1/topics', { headers: { authorization: `Bearer ${token}` } });
 */
export function createApi({ reader, deliver, token, onError }: ApiOptions): Hono {
  const app = new Hono();

  app.onError((error) => {
    if (error instanceof HTTPException) return problemOfException(error);
    onError?.(error);
    return problemResponse(problem(isLostDatabase(error) ? 'database-unavailable' : 'internal'));
  });
  app.notFound(() => problemResponse(problem('not-found')));

  app.use(secureHeaders());
  app.use('/v1/*', bearerAuth({ verifyToken: secretCheck(token) }));
  app.route('/v1', messageRoutes(reader));
  app.route('/v1', publishRoutes(deliver));
  return app;
}

/** Hono's bearer middleware answers 400 to a malformed header; for callers that is one more missing token. */
function problemOfException(error: HTTPException): Response {
  if (error.status === 400 || error.status === 401) {
    const challenge = error.getResponse().headers.get('www-authenticate') ?? 'Bearer';
    return problemResponse(problem('unauthorized'), { 'www-authenticate': challenge });
  }
  return problemResponse(problem('internal'));
}

/** The AWS SDK marks what it could not reach, and what the service refused for load, as retryable. */
function isLostDatabase(error: Error): boolean {
  return '$metadata' in error || 'code' in error;
}
