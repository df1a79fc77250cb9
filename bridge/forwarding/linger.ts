// How long a message waits for others to share its request, by how many come. Pure.
import type { RouteConfig } from '../config/config.ts';

/** Below this rate few would come while one waits: it waits for `lingerMs` alone. */
const minPerSecond = 50;

/** With so many in a request, more of them hardly cost less. */
const enoughMessages = 100;

/** The linger of a route that delivers so many messages a second, in milliseconds. */
export function lingerAt(
  perSecond: number,
  { lingerMs, maxLingerMs }: Pick<RouteConfig, 'lingerMs' | 'maxLingerMs'>,
): number {
  if (perSecond < minPerSecond) return lingerMs;
  return Math.max(lingerMs, Math.min(maxLingerMs, (1000 * enoughMessages) / perSecond));
}
