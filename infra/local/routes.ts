// The routes of the config on one machine: those that store go to the ingest function in this process.

import { handlerOfBridge } from '../config/route.ts';
import { type CausewayConfig, windowOf } from '../config.ts';
import type { PresenceRoute } from '../presence-routes.ts';

export interface LocalHandler {
  readonly ingestUrl: string;
  /** Standard Webhooks secret that ingest asks for. */
  readonly secret: string;
  /** Whether routes with a handler of their own run here too. */
  readonly webhooks: boolean;
}

/**
 * The routes for the bridge's document. Webhooks are left out unless asked for: a message that a developer sends to the
 * embedded broker should not reach anybody's endpoint by surprise.
 */
export function localRoutes(
  { broker, routes }: Pick<CausewayConfig, 'broker' | 'routes'>,
  { ingestUrl, secret, webhooks }: LocalHandler,
): object[] {
  return routes
    .filter(({ handler }) => handler === undefined || webhooks)
    .map(({ handler, retentionDays, ...route }) => {
      const window = windowOf(route, broker);
      if (handler !== undefined) return { ...route, window, ...handlerOfBridge(handler) };
      const query = retentionDays === undefined ? '' : `?retentionDays=${retentionDays}`;
      return { ...route, window, url: `${ingestUrl}/${query}`, allowPrivate: true, secret };
    });
}

/** Presence routes for the bridge's document. */
export function localPresenceRoutes(
  routes: readonly PresenceRoute[],
  broker: CausewayConfig['broker'],
  { ingestUrl, secret }: Pick<LocalHandler, 'ingestUrl' | 'secret'>,
): object[] {
  return routes.map(({ query, ...route }) => ({
    ...route,
    window: windowOf(route, broker),
    url: `${ingestUrl}/?${query}`,
    allowPrivate: true,
    secret,
  }));
}
