// The sessions that a config wants, in the words of the ledger.
import { createHash } from 'node:crypto';
import type { BrokerConfig, RouteConfig } from '../config/config.ts';
import { shareGroupOf } from '../config/route.ts';
import { clientIdOf } from '../connection/client-ids.ts';
import type { WantedSession } from './plan.ts';

/** The connections of a route share its messages; a dead one's share waits for its successor. */
export function wantedSessions(broker: BrokerConfig, route: RouteConfig): WantedSession[] {
  const { name, filter, qos, connections } = route;
  const group = shareGroupOf(broker.clientIdPrefix, route);
  const target = targetOf(route);
  return Array.from({ length: connections }, (_, index) => ({
    clientId: clientIdOf(broker, `${name}-${index}`),
    // A lease keeps its name whatever client id the broker gave out.
    lease: `${broker.clientIdPrefix}-${name}-${index}`,
    route: name,
    target,
    subscription: { filter, ...(group !== undefined && { group }), qos },
  }));
}

/**
 * The same for two routes of one filter and one handler, so that a renamed route is found again. Hashed, as a URL may hold
 * what is secret. On this machine ports come and go, with `npm start` at each start, and name no other handler.
 */
function targetOf({ filter, url, method, format }: RouteConfig): string {
  const handler = new URL(url);
  if (/^(localhost|127\..*|\[::1\])$/.test(handler.hostname)) handler.port = '';
  return hashOf([filter, handler.href, method, format]);
}

/** By the names of the routes: what of each matters to sessions. */
export function routeHashes(wanted: readonly WantedSession[]): Record<string, string> {
  const names = [...new Set(wanted.map(({ route }) => route))];
  return Object.fromEntries(
    names.map((name) => [name, hashOf(wanted.filter(({ route }) => route === name))]),
  );
}

/** The same for bridges that want the same sessions. */
export function sessionsHash(wanted: readonly WantedSession[]): string {
  return hashOf(wanted);
}

function hashOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('base64url').slice(0, 22);
}
