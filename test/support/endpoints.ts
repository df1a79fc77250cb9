// Endpoints of the api on their own, called by a given principal, for tests.
import { Hono } from 'hono';
import type { ApiEnvironment, Principal } from '../../functions/api/access/principal.ts';
import type { Endpoint } from '../../functions/api/interface/operation.ts';

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
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    headers: response.headers,
    text,
    body: text === '' ? undefined : JSON.parse(text),
  };
}
