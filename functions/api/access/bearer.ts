// The Authorization header of a request: the bearer token in it, and the principal that it makes of the caller.
import type { MiddlewareHandler } from 'hono';
import { problem, problemResponse } from '../../contract/problem.ts';
import type { ApiEnvironment } from './api-environment.ts';
import type { Authenticate } from './principal.ts';
import { clientAddress, type Failures } from './rate-limit.ts';

/** Longest Authorization header that is looked at, in characters. */
const maxHeaderLength = 8192;

/** The token of an Authorization header, in the form of RFC 6750 (2.1); undefined where there is none. */
export function bearerToken(header: string | undefined): string | undefined {
  if (header === undefined || header.length > maxHeaderLength) return undefined;
  return /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(header)?.[1];
}

/**
 * Lets authenticated requests through, with their principal. All tokens that are none get the same 401, so that nobody
 * learns from it whether one is unknown, wrong, expired or revoked.
 */
export function requireBearer(
  authenticate: Authenticate,
  failures: Failures,
): MiddlewareHandler<ApiEnvironment> {
  return async (context, next) => {
    const header = context.req.header('authorization');
    const token = bearerToken(header);
    if (token === undefined)
      return unauthorized(
        header === undefined
          ? 'no token: send the header Authorization: Bearer <token>'
          : 'no token: the header Authorization must be Bearer <token>',
      );
    const address = clientAddress(context);
    const refusal = failures.refusal(address, token);
    if (refusal !== undefined) return refusal;
    const principal = await authenticate(token);
    failures.note(address, token, principal !== undefined);
    if (principal === undefined)
      return unauthorized(
        'unknown token: it is wrong, expired or revoked',
        'Bearer error="invalid_token"',
      );
    context.set('principal', principal);
    context.set('isStillAllowed', async () => (await authenticate(token)) !== undefined);
    return next();
  };
}

/** The challenge is that of RFC 6750, 3: without an error where no token was sent. */
function unauthorized(detail: string, challenge = 'Bearer'): Response {
  return problemResponse(problem('unauthorized', detail), { 'www-authenticate': challenge });
}
