// Alerts for Prometheus: what is wrong, for how long it has to be, and the cure, where the bridge's own alerts have one
// the same.
import { certificateDays } from '../../bridge/alerts/condition.ts';
import { cureOf } from '../../bridge/alerts/cure.ts';
import type { AlertKind } from '../../bridge/config/alerts.ts';
import { allMetrics, checkedExpression } from './metric-list.ts';

export interface AlertRule {
  readonly name: string;
  /** The alert of the bridge that tells the same. */
  readonly kind?: AlertKind;
  readonly severity: 'critical' | 'warning';
  readonly expression: string;
  /** How long it has to be so; at once without it. */
  readonly lasting?: string;
  readonly summary: string;
  /** What to do, where no alert of the bridge says it. */
  readonly cure?: string;
}

const route = '{{ $labels.route }}';

/** Of several bridges, one that is on standby has no sessions: what counts is the bridge that has the most. */
export const alertRules: readonly AlertRule[] = [
  {
    name: 'CausewayAway',
    severity: 'critical',
    expression: 'absent(causeway_active_sessions)',
    lasting: '5m',
    summary: 'Prometheus reaches no bridge',
    cure: 'Start it, or correct the address and the token with which Prometheus asks.',
  },
  {
    name: 'CausewayNoSession',
    kind: 'disconnected',
    severity: 'critical',
    expression: 'max by (route) (causeway_active_sessions) < 1',
    lasting: '5m',
    summary: `Route ${route} has no session: nothing is received, and the broker keeps the backlog`,
  },
  {
    name: 'CausewaySessionFails',
    kind: 'disconnected',
    severity: 'warning',
    expression: 'max by (route) (causeway_failing_sessions) > 0',
    lasting: '5m',
    summary: `A session of route ${route} cannot connect or subscribe`,
  },
  {
    name: 'CausewayHolding',
    kind: 'holding',
    severity: 'warning',
    expression: 'max by (route) (causeway_holding_seconds) > 300',
    summary: `The handler of route ${route} has taken nothing for five minutes`,
  },
  {
    name: 'CausewayRouteDisabled',
    kind: 'disabled',
    severity: 'critical',
    expression: 'max by (route) (causeway_route_disabled) > 0',
    summary: `The handler of route ${route} has answered 410, Gone`,
  },
  {
    name: 'CausewayRoutePaused',
    severity: 'warning',
    expression: 'max by (route) (causeway_route_paused) > 0',
    lasting: '1d',
    summary: `Route ${route} has been paused for a day`,
    cure: `GET /v1/routes says by whom. POST /v1/routes/${route}/resume ends it.`,
  },
  {
    name: 'CausewayDeadLetters',
    kind: 'dead-letters',
    severity: 'warning',
    expression: 'sum by (route) (increase(causeway_quarantined_messages_total[10m])) > 0',
    summary: `Messages of route ${route} became dead letters`,
  },
  {
    name: 'CausewaySessionLost',
    kind: 'session-lost',
    severity: 'critical',
    expression: 'sum by (route) (increase(causeway_lost_sessions_total[10m])) > 0',
    summary: `The broker no longer had a session of route ${route}, nor what it kept for it`,
  },
  {
    name: 'CausewayCertificateExpires',
    kind: 'certificate',
    severity: 'warning',
    expression: `min by (certificate) (causeway_certificate_expiry_timestamp_seconds) - time() < ${certificateDays} * 86400`,
    summary: `The certificate of {{ $labels.certificate }} expires within ${certificateDays} days, or has`,
  },
  {
    name: 'CausewayNoisyTopic',
    severity: 'warning',
    expression: 'max by (route) (causeway_noisy_topic) > 0',
    lasting: '10m',
    summary: `One topic of route ${route} holds half of its window, and all others wait behind it`,
    cure: 'GET /v1/routes names the topic: give it a route of its own.',
  },
  {
    name: 'CausewayDroppedQoS0',
    severity: 'warning',
    expression: 'sum by (route) (increase(causeway_dropped_qos0_messages_total[10m])) > 0',
    summary: `QoS 0 messages of route ${route} were dropped, as its window was full`,
    cure: 'Publish at QoS 1 what must not be lost. A window that stays full waits for a slow handler.',
  },
  {
    name: 'CausewayCommandsFail',
    severity: 'warning',
    expression: 'sum(increase(causeway_commands_total{result=~"failed|expired"}[10m])) > 0',
    summary: 'Commands were refused by the broker, or expired before they could be sent',
    cure: 'GET /v1/commands?status=failed and ?status=expired give the reasons.',
  },
  {
    name: 'CausewayIndexLate',
    severity: 'warning',
    expression: 'max(causeway_index_delay_seconds) > 600',
    lasting: '5m',
    summary:
      'The index of packed messages is more than ten minutes behind: to read them takes longer',
    cure: 'The log says why the index waits. Where the table is throttled, raise its limits.',
  },
  {
    name: 'CausewayClockWrong',
    severity: 'warning',
    expression: 'max(abs(causeway_clock_error_seconds)) > 60',
    lasting: '5m',
    summary: 'The clock of the machine is wrong by more than a minute',
    cure: 'Let it follow a time server: times of receipt and of expiry rest on it.',
  },
  {
    name: 'CausewayBrokerQueueFull',
    severity: 'critical',
    expression: 'sum(increase(causeway_broker_dropped_queue_full_total[10m])) > 0',
    summary: 'A session at the embedded broker has lost messages, as its queue was full',
    cure: 'Let its client come back and read faster, or raise maxQueuedMessages and maxQueuedBytes.',
  },
  {
    name: 'CausewayBrokerHolds',
    severity: 'critical',
    expression: 'min(causeway_broker_held_messages) > 0',
    lasting: '5m',
    summary: 'Publishers have no PUBACK, as the queue of a route at the embedded broker is full',
    cure: "Mend the route's handler, or resume the route. maxQueuedMessages and maxQueuedBytes let it be away for longer.",
  },
  {
    name: 'CausewayBrokerFileUnusable',
    severity: 'warning',
    expression: 'sum(increase(causeway_broker_files_unusable_total[10m])) > 0',
    summary:
      "The embedded broker's users file or certificate has changed and cannot be used: the old one holds",
    cure: 'The log names the file and what is wrong with it.',
  },
];

/** What to do, as the alert tells it. */
export function cureText({ kind, cure = '' }: AlertRule): string {
  return kind === undefined ? cure : cureOf({ kind, subject: route, reason: '' });
}

/** A text of JSON is one of YAML, and needs no rules for what has to be quoted. */
const quoted = (text: string) => JSON.stringify(text);

/** The rules as a file that Prometheus loads. Throws where one names a metric that is not there. */
export function alertRulesFile(): string {
  const metrics = allMetrics();
  const rules = alertRules.map((rule) => {
    const { name, expression, lasting, severity, summary } = rule;
    return [
      `      - alert: ${name}`,
      `        expr: ${quoted(checkedExpression(expression, metrics))}`,
      ...(lasting === undefined ? [] : [`        for: ${lasting}`]),
      `        labels: { severity: ${severity} }`,
      '        annotations:',
      `          summary: ${quoted(summary)}`,
      `          description: ${quoted(cureText(rule))}`,
    ].join('\n');
  });
  return `# Made from the bridge's metrics and alerts by npm run document.
groups:
  - name: causeway
    rules:
${rules.join('\n')}
`;
}
