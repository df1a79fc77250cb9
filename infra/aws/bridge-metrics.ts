// What CloudWatch learns from the bridge: metric filters on two kinds of lines that it logs once a minute.
import { Duration } from 'aws-cdk-lib';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { FilterPattern, type LogGroup } from 'aws-cdk-lib/aws-logs';

/**
 * `{"msg":"route metrics","route":…}`, from every task for each route. Messages since the line before; sessions and
 * the time of the hold as they are now.
 */
export const routeLine = {
  msg: 'route metrics',
  fields: ['deliveredMessages', 'activeSessions', 'failingSessions', 'holdingSeconds'],
} as const;

/**
 * `{"msg":"bridge metrics",…}`, from every task. Commands since the line before; dead letters, routes whose handler
 * answered 410, and the days until the first certificate expires, as they are now: null without TLS, which is no data.
 */
export const bridgeLine = {
  msg: 'bridge metrics',
  fields: [
    'deadLetters',
    'disabledRoutes',
    'sentCommands',
    'failedCommands',
    'certificateDaysLeft',
  ],
} as const;

export type RouteField = (typeof routeLine.fields)[number];
export type BridgeField = (typeof bridgeLine.fields)[number];

/** The metrics of one deployment; the namespace keeps it apart from others in the account. */
export class BridgeMetrics {
  readonly #namespace: string;

  constructor(logGroup: LogGroup, namespace: string) {
    this.#namespace = namespace;
    for (const field of routeLine.fields) {
      logGroup.addMetricFilter(field, {
        filterPattern: FilterPattern.stringValue('$.msg', '=', routeLine.msg),
        metricNamespace: namespace,
        metricName: field,
        metricValue: `$.${field}`,
        dimensions: { route: '$.route' },
      });
    }
    for (const field of bridgeLine.fields) {
      logGroup.addMetricFilter(field, {
        filterPattern: FilterPattern.stringValue('$.msg', '=', bridgeLine.msg),
        metricNamespace: namespace,
        metricName: field,
        metricValue: `$.${field}`,
      });
    }
  }

  /** A field of a route, by the minute. */
  ofRoute(field: RouteField, route: string, statistic: 'Maximum' | 'Sum'): Metric {
    return this.metric(field, statistic, { route });
  }

  /** A field of all tasks, by the minute. */
  ofBridge(field: BridgeField, statistic: 'Maximum' | 'Minimum' | 'Sum'): Metric {
    return this.metric(field, statistic, {});
  }

  private metric(metricName: string, statistic: string, dimensionsMap: Record<string, string>) {
    const period = Duration.minutes(1);
    const namespace = this.#namespace;
    return new Metric({ namespace, metricName, dimensionsMap, statistic, period });
  }
}
