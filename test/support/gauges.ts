// A route of which nobody asks for its gauges.
import type { RouteGauges } from '../../bridge/metrics/metrics.ts';

export const idleGauges: RouteGauges = {
  inFlightMessages: 0,
  inFlightRequests: 0,
  concurrencyLimit: 0,
  activeSessions: 0,
  failingSessions: 0,
  holding: false,
  holdingSeconds: 0,
  paused: false,
  disabled: false,
  noisyTopic: false,
};
