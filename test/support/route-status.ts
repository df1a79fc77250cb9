// The status of a route, for tests.
import type { RouteStatus } from '../../functions/contract/route-status.ts';

/** With all that a status can say. */
export const routeStatus: RouteStatus = {
  name: 'store',
  filter: '#',
  handler: 'ingest.example',
  state: 'holding',
  reason: 'the handler answered 503',
  since: '2026-01-31T12:00:00.000Z',
  by: 'token:a',
  sessions: [{ state: 'active' }, { state: 'disconnected', reason: 'ECONNREFUSED' }],
  unsettledMessages: 7,
  requestsInFlight: 1,
  concurrencyLimit: 4,
  deliveredPerSecond: 12.5,
  receivedMessages: 100,
  deliveredMessages: 90,
  retriedMessages: 3,
  quarantinedMessages: 1,
  lastError: { at: '2026-01-31T12:00:00.000Z', status: 503, reason: 'the handler answered 503' },
};
