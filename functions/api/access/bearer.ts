// The Authorization header of a request: the bearer token in it, and the principal that it makes of the caller.
import type { MiddlewareHandler } from 'hono';
import { problem, problemResponse } from '../../contract/problem.ts';
import type { ApiEnvironment, Authenticate } from './principal.ts';
import { clientAddress, type Failures } from './rate-limit.ts';

/** Longest Authorization header that is looked at, in characters. */
const maxHeaderLength = 8192;

/** The token of an Authorization header, in the form of RFC 6750 (2.1); undefined where there is none. */
export function bearerToken(header: string | undefined): string | undefined {
  if (header === undefined || header.length > maxHeaderLength) return undefined;
  return /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(header)?.[1];
}

/**
 * Lets authenticated requests through, with their principal. All others get the same 401, so that nobody learns
 * from it whether a token is unknown, wrong, expired or revoked.
 */
export function requireBearer(
  authenticate: Authenticate,
  failures: Failures,
): MiddlewareHandler<ApiEnvironment> {
  const unauthorized = () =>
    problemResponse(problem('unauthorized'), { 'www-authenticate': 'Bearer' });
  return async (context, next) => {
    const token = bearerToken(context.req.header('authorization'));
    if (token === undefined) return unauthorized();
    const address = clientAddress(context);
    const refusal = await failures.refusal(address, token);
    if (refusal !== undefined) return refusal;
    const principal = await authenticate(token);
    await failures.note(address, token, principal !== undefined);
    if (principal === undefined) return unauthorized();
    context.set('principal', principal);
    return next();
  };
}
