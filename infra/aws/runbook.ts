// The alarms in words: what each means, and what to do. They are the alarms' descriptions and the runbook's table.

export interface RunbookEntry {
  /** What has been seen, and for how long. */
  readonly means: string;
  readonly action: string;
}

export const runbook = {
  Outage: {
    means:
      'For five minutes messages of a route or commands have not flowed, or no task has said anything. Nothing is lost: the broker keeps the backlog.',
    action:
      "GET /v1/routes says which route and why; so does `reasons` of the last 'bridge metrics' line in the bridge's log. disconnected: broker away, credentials, ACL of the topic filter. holding: mend the handler; the bridge goes on by itself. disabled: the handler answered 410; mend it, then POST /v1/routes/{name}/resume. No line at all: no task runs, see the service's events. Mind how long the broker keeps a backlog.",
  },
  Attention: {
    means:
      'For five minutes something has been wrong that somebody should look at; with Outage, it is the same.',
    action:
      "`reasons` of the last 'bridge metrics' line in the bridge's log says what. dead-letters: GET /v1/dead-letters gives the reasons; mend the handler or the device, then replay or delete them. session-lost: a restart of the broker without persistence, or broker.sessionExpirySeconds is too short. certificate: it expires within 14 days; renew it at the broker, or in its secret and restart the tasks. commands: GET /v1/commands?status=failed gives the reasons. It is over ten minutes after the last event.",
  },
  PushesFailed: {
    means:
      'In each of five minutes the public interface answered 5xx: pushes of a platform, or other calls, failed.',
    action:
      "Read the logs of the ingest and the api function: errors of DynamoDB are named there. No instance left: raise ingest.reservedConcurrency, or the account's concurrency. Whether the platform pushes again is up to it.",
  },
} as const satisfies Record<string, RunbookEntry>;

export type AlarmName = keyof typeof runbook;
