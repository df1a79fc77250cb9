// Every metric that a bridge and an embedded broker have, in order. All that is made for Prometheus and Grafana is made
// from this list, so that it cannot name what is not there.
import { type MetricEntry, metricsIn } from '../../bridge/base/metric-list.ts';
import { createMetrics } from '../../bridge/metrics/metrics.ts';
import { createCounters } from '../broker/telemetry/counters.ts';
import { brokerMetrics } from '../broker/telemetry/metrics.ts';

export function allMetrics(): MetricEntry[] {
  const bridge = createMetrics();
  bridge.commands(() => ({ waiting: 0, inFlight: 0 }));
  bridge.certificates(() => ({}));
  const broker = brokerMetrics(createCounters(), () => ({
    connections: 0,
    sessions: 0,
    queuedMessages: 0,
    heldMessages: 0,
    retainedMessages: 0,
  }));
  return [...metricsIn(bridge.registry), ...metricsIn(broker.registry)];
}

/** Names in an expression that are no metric of the list; a histogram's have suffixes. */
export function unknownNames(expression: string, metrics: readonly MetricEntry[]): string[] {
  const known = new Set(
    metrics.flatMap(({ name, kind }) =>
      kind === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
    ),
  );
  return [...expression.matchAll(/causeway_\w+/g)]
    .map(([name]) => name)
    .filter((name) => !known.has(name));
}

/** Throws where an expression names what is not there. */
export function checkedExpression(expression: string, metrics: readonly MetricEntry[]): string {
  const unknown = unknownNames(expression, metrics);
  if (unknown.length > 0) throw new Error(`${expression}: there is no ${unknown.join(', ')}`);
  return expression;
}

/** The metrics as a table in Markdown. */
export function metricsTable(): string {
  const rows = allMetrics().map(({ name, kind, labels, help }) => {
    const braces = labels.length === 0 ? '' : `{${labels.join(', ')}}`;
    return `| \`${name}${braces}\` | ${kind} | ${help} |`;
  });
  return ['| metric | kind | meaning |', '| --- | --- | --- |', ...rows].join('\n');
}
