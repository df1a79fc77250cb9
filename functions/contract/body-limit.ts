// The limit on a request's body, without opening the body of each request.
import type { Context, MiddlewareHandler } from 'hono';

interface Limit {
  /** Bytes. */
  readonly maxSize: number;
  readonly onError: (context: Context) => Response;
}

/**
 * Hono's `limit` by the size that a request declares, where it does; Node and API Gateway let no more through. The limit
 * itself opens every body as a stream, for which the server has to make a whole Request of the web's kind.
 */
export function byDeclaredSize(
  limit: (options: Limit) => MiddlewareHandler,
  options: Limit,
): MiddlewareHandler {
  const limitStream = limit(options);
  return async (context, next) => {
    const declared = context.req.header('content-length');
    const isStream = context.req.header('transfer-encoding') !== undefined;
    if (declared === undefined || isStream) return limitStream(context, next);
    return Number(declared) > options.maxSize ? options.onError(context) : next();
  };
}
