// Gates of routes, for tests.
import { RouteGate } from '../../bridge/routes/route-gate.ts';
import { neverChanged } from '../../bridge/routes/route-state.ts';

/** The gate of a route that was never paused. */
export function openGate(): RouteGate {
  const gate = new RouteGate(() => {});
  gate.adopt(neverChanged);
  return gate;
}
