// Endpoints of the api on their own, called by a given principal, for tests.
import { Hono } from 'hono';
import type { ApiEnvironment } from '../../functions/api/access/api-environment.ts';
import type { Principal } from '../../functions/api/access/principal.ts';
import type { Endpoint } from '../../functions/api/interface/operation.ts';
import { isJsonType } from './openapi.ts';

export interface Called {
  readonly status: number;
  readonly type: string | null;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at what it expects
  readonly body: any;
}

/** Calls one of the endpoints; `body` is sent as JSON. */
export async function call(
  endpoints: readonly Endpoint[],
  principal: Principal,
  path: string,
  {
    method = 'GET',
    body,
    headers = {},
  }: { method?: string; body?: unknown; headers?: object } = {},
): Promise<Called> {
  const app = new Hono<ApiEnvironment>();
  app.use(async (context, next) => {
    context.set('principal', principal);
    await next();
  });
  for (const { operation, handle } of endpoints) {
    app.on(operation.method.toUpperCase(), operation.path.replaceAll(/\{(\w+)\}/g, ':$1'), handle);
  }
  const response = await app.request(path, {
    method,
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const type = response.headers.get('content-type');
  return {
    status: response.status,
    type,
    headers: response.headers,
    text,
    body: isJsonType(type) ? JSON.parse(text) : undefined,
  };
}
