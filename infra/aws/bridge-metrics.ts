// What CloudWatch learns from the bridge: one number of a line that each task logs once a minute. A custom metric costs as
// much as three alarms, so it is one for all routes; the line has the reasons, and /v1/routes all the rest.
import { Duration } from 'aws-cdk-lib';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { FilterPattern, type LogGroup } from 'aws-cdk-lib/aws-logs';

/** `{"msg":"bridge metrics","severity":…,"reasons":[…],…}`, from every task. */
export const bridgeLine = { msg: 'bridge metrics', severity: 'severity' } as const;

/** `{"msg":"route metrics","route":…}`, from every task for each route; the dashboard reads it from the log. */
export const routeLine = {
  msg: 'route metrics',
  fields: ['deliveredMessages', 'activeSessions', 'holdingSeconds'],
} as const;

/** How bad it is by the worst of all tasks, by the minute; `namespace` keeps a deployment apart from others. */
export function severityMetric(logGroup: LogGroup, namespace: string): Metric {
  const metricName = bridgeLine.severity;
  logGroup.addMetricFilter(metricName, {
    filterPattern: FilterPattern.stringValue('$.msg', '=', bridgeLine.msg),
    metricNamespace: namespace,
    metricName,
    metricValue: `$.${metricName}`,
  });
  return new Metric({ namespace, metricName, statistic: 'Maximum', period: Duration.minutes(1) });
}
