// The dashboard. What AWS counts by itself comes from its metrics, which cost nothing; what is about routes is read from the
// bridge's log when somebody looks, as a metric of each route would cost every month.
import { Duration } from 'aws-cdk-lib';
import {
  type Alarm,
  AlarmStatusWidget,
  Dashboard,
  GraphWidget,
  type IMetric,
  LogQueryVisualizationType,
  LogQueryWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { routeLine } from './bridge-metrics.ts';
import type { BridgeService } from './bridge-service.ts';
import type { ApiFunction, IngestFunction } from './functions.ts';
import type { MessagesTable } from './messages-table.ts';
import type { PublicInterface } from './public-interface.ts';

/** The parts that are looked at. */
export interface Watched {
  readonly bridge: BridgeService;
  readonly ingest: IngestFunction;
  readonly api: ApiFunction;
  readonly table: MessagesTable;
  readonly publicInterface: PublicInterface;
}

export interface Bridges {
  readonly severity: IMetric;
  readonly alarms: readonly Alarm[];
}

export function newDashboard(
  scope: Construct,
  { bridge, ingest, api, table, publicInterface }: Watched,
  { severity, alarms }: Bridges,
): Dashboard {
  const period = Duration.minutes(1);
  const counted = { period, statistic: 'Sum' };
  const slow = { period, statistic: 'p99' };
  const logGroupNames = [bridge.logGroup.logGroupName];
  const ofRoutes = (title: string, field: (typeof routeLine.fields)[number], of: 'sum' | 'max') =>
    new LogQueryWidget({
      title,
      logGroupNames,
      view: LogQueryVisualizationType.LINE,
      queryLines: [`filter msg = '${routeLine.msg}'`, `stats ${of}(${field}) by bin(1m), route`],
      width: 8,
      height: 6,
    });
  return new Dashboard(scope, 'Dashboard', {
    defaultInterval: Duration.hours(3),
    widgets: [
      [new AlarmStatusWidget({ title: 'Alarms', alarms: [...alarms], width: 24, height: 3 })],
      [
        ofRoutes('Messages delivered, by route', 'deliveredMessages', 'sum'),
        ofRoutes('Active sessions, by route', 'activeSessions', 'max'),
        ofRoutes('Seconds on hold, by route', 'holdingSeconds', 'max'),
      ],
      [
        graph('Ingest', [
          ingest.function.metricInvocations(counted),
          ingest.function.metricErrors(counted),
          ingest.function.metricThrottles(counted),
        ]),
        graph('Ingest, p99 in ms', [ingest.function.metricDuration(slow)]),
        graph('Table', [
          table.table.metricConsumedWriteCapacityUnits(counted),
          table.table.metricConsumedReadCapacityUnits(counted),
        ]),
      ],
      [
        graph('API', [
          publicInterface.api.metricCount(counted),
          publicInterface.api.metricClientError(counted),
          publicInterface.failedRequests(),
        ]),
        graph('API, p99 in ms', [
          publicInterface.api.metricLatency(slow),
          api.function.metricDuration(slow),
        ]),
        graph('Severity: 1 look at it, 2 something does not flow', [severity]),
      ],
      [
        graph('Bridge, %', [
          bridge.service.metricCpuUtilization({ period }),
          bridge.service.metricMemoryUtilization({ period }),
        ]),
        new LogQueryWidget({
          title: "Warnings and errors in the bridge's log",
          logGroupNames,
          // 40 is a warning, 50 an error (pino).
          queryLines: [
            'fields @timestamp, level, route, msg, reason',
            'filter level >= 40',
            'sort @timestamp desc',
            'limit 50',
          ],
          width: 16,
          height: 6,
        }),
      ],
    ],
  });
}

function graph(title: string, left: IMetric[]): GraphWidget {
  return new GraphWidget({ title, left, width: 8, height: 6, leftYAxis: { min: 0 } });
}
