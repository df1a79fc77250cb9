// The alarms in words: what each means, and what to do. They are the alarms' descriptions and the runbook's table.

export interface RunbookEntry {
  /** What has been seen, and for how long. */
  readonly means: string;
  readonly action: string;
}

export const runbook = {
  NoSession: {
    means:
      'For five minutes no task has had a session of the route: nothing is received. The broker keeps the backlog.',
    action:
      "Read the bridge's log: broker unreachable, credentials refused, or no task running (see the service's events).",
  },
  RouteUnhealthy: {
    means:
      'For five minutes a session of the route could not connect or subscribe; others may still receive.',
    action:
      "Read the bridge's log for the reason the broker gave: credentials, ACL of the topic filter, or its limits.",
  },
  Holding: {
    means:
      'The handler has taken nothing of the route for over five minutes. Nothing is lost: the broker keeps the backlog.',
    action:
      "Read the reason in the bridge's log (status, timeout) and mend the handler; the bridge goes on by itself. Mind how long the broker keeps a backlog.",
  },
  QuarantineNotEmpty: {
    means: 'The handler has refused messages for good; they are in the quarantine.',
    action:
      'GET /v1/dead-letters gives the reasons. Mend the handler or the device, then replay or delete them.',
  },
  RouteDisabled: {
    means:
      'A handler has answered 410, Gone: its route sends nothing more. Nothing is lost: the broker keeps the backlog.',
    action:
      'GET /v1/routes says which and since when. Mend the handler, then POST /v1/routes/{name}/resume; or take the route out of the config. Mind how long the broker keeps a backlog.',
  },
  IngestErrors: {
    means:
      'For three of five minutes the ingest function failed or answered 5xx. The bridge tries again; nothing is lost.',
    action: "Read the function's log; errors of DynamoDB are named there.",
  },
  IngestThrottled: {
    means: 'For three of five minutes Lambda had no instance left for the ingest function.',
    action:
      "Raise ingest.reservedConcurrency or the account's concurrency, or lower a route's concurrency.",
  },
  CommandsFailed: {
    means: 'The broker refused commands, or they could not be sent before they expired.',
    action:
      'GET /v1/commands?status=failed gives the reasons: ACL of the topic, size, or the expiry that the caller chose.',
  },
  CertificateExpiring: {
    means:
      "A certificate expires within 14 days, or has: the broker's, the client certificate, or the CA that the config names.",
    action:
      "The log of the bridge says which: look for 'a certificate expires soon'. Renew it at the broker, or in its secret and restart the bridge's tasks: a session keeps the certificate that it began with.",
  },
} as const satisfies Record<string, RunbookEntry>;

export type AlarmName = keyof typeof runbook;
