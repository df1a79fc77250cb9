// The routes of the config on one machine: those that store go to the ingest function in this process.
import { type CausewayConfig, windowOf } from '../config.ts';

export interface LocalHandler {
  readonly ingestUrl: string;
  /** Standard Webhooks secret that ingest asks for. */
  readonly secret: string;
}

/**
 * The routes for the bridge's document. Webhooks are left out: what they are called with is on AWS, and a message that
 * a developer sends to the embedded broker should not reach anybody's endpoint.
 */
export function localRoutes(
  { broker, routes }: Pick<CausewayConfig, 'broker' | 'routes'>,
  { ingestUrl, secret }: LocalHandler,
): object[] {
  return routes
    .filter(({ handler }) => handler === undefined)
    .map((route) => {
      const { handler: _, retentionDays, ...rest } = route;
      const query = retentionDays === undefined ? '' : `?retentionDays=${retentionDays}`;
      return { ...rest, window: windowOf(route, broker), url: `${ingestUrl}/${query}`, secret };
    });
}
