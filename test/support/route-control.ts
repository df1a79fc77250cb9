// The routes of a test's bridge over its own HTTP: asked for, paused and resumed.
import { routeStatusSchema } from '../../functions/contract/route-status.ts';

/** Token of the bridges that are asked. */
export const routeToken = 'token-of-the-bridge';

export async function askRoutes(url: string, path = '', body?: object, bearer = routeToken) {
  const response = await fetch(`${url}/routes${path}`, {
    headers: { authorization: `Bearer ${bearer}` },
    ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json() };
}

/** The status of its first route. */
export async function statusOf(url: string) {
  const { body } = (await askRoutes(url)) as { body: { routes: unknown[] } };
  return routeStatusSchema.parse(body.routes[0]);
}
