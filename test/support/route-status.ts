// The status of a route, for tests.
import type {
  RouteAttempt,
  RouteChanged,
  RouteSeries,
  RouteStateChange,
} from '../../functions/contract/route-history.ts';
import type { RouteStatus } from '../../functions/contract/route-status.ts';
import type { RouteTest } from '../../functions/contract/route-test.ts';

/** With all that a status can say. */
export const routeStatus: RouteStatus = {
  name: 'store',
  filter: '#',
  handler: 'ingest.example',
  state: 'holding',
  reason: 'the handler answered 503',
  cure: "Read the handler's own log: it fails.",
  since: '2026-01-31T12:00:00.000Z',
  by: 'token:a',
  holdingSince: '2026-01-31T12:00:00.000Z',
  nextTryAt: '2026-01-31T12:00:12.000Z',
  tries: 4,
  oldestWaitingAt: '2026-01-31T11:59:59.000Z',
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

/** What a test event came to, with all that can be said of it. */
export const routeTest: RouteTest = {
  verdict: 'held',
  explanation: 'The handler answered 503. …',
  sent: {
    method: 'POST',
    url: 'https://shop.example.com/mqtt',
    headers: { 'webhook-signature': 'v1,***' },
    body: '{}',
    bodyBytes: 2,
  },
  answer: { status: 503, headers: { date: 'now' }, body: 'busy' },
  latencyMs: 12,
};

const at = '2026-01-31T12:00:00.000Z';

/** What a bridge remembers of a route, with all that can be said of it. */
export const routeHistory: {
  series: RouteSeries;
  attempts: RouteAttempt[];
  states: RouteStateChange[];
  changes: RouteChanged[];
} = {
  series: {
    route: 'store',
    stepSeconds: 60,
    since: at,
    points: [
      {
        at,
        received: 2,
        delivered: 1,
        retried: 1,
        quarantined: 0,
        unsettledMessages: 1,
        backlogMessages: 3,
        requestsInFlight: 1,
        concurrencyLimit: 4,
        batchMessages: 1.5,
        p50Ms: 3,
        p95Ms: 4,
        p99Ms: 5,
      },
    ],
  },
  attempts: [
    {
      at,
      latencyMs: 3,
      status: 200,
      verdict: 'delivered',
      messages: 2,
      topic: 'a',
      messageId: '1',
    },
    { at, latencyMs: 3, verdict: 'held', reason: 'no', messages: 1, topic: 'a', messageId: '2' },
  ],
  states: [{ at, state: 'paused', before: 'active', by: 'token:a' }],
  changes: [{ at, route: 'store', state: 'holding', before: 'active', reason: 'no answer' }],
};
