// Alarms and the dashboard of one deployment.
import { Duration, Names, Stack } from 'aws-cdk-lib';
import {
  AlarmStatusWidget,
  Dashboard,
  GraphWidget,
  type IMetric,
  LogQueryWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { Alarms } from './alarms.ts';
import { BridgeMetrics } from './bridge-metrics.ts';
import type { BridgeService } from './bridge-service.ts';
import type { ApiFunction, IngestFunction } from './functions.ts';
import type { MessagesTable } from './messages-table.ts';
import type { PublicInterface } from './public-interface.ts';

export interface MonitoringProps {
  readonly routes: readonly string[];
  readonly bridge: BridgeService;
  readonly ingest: IngestFunction;
  readonly api: ApiFunction;
  readonly table: MessagesTable;
  readonly publicInterface: PublicInterface;
  /**
   * Address that is told of alarms.
   *
   * @default - nobody is told
   */
  readonly email?: string | undefined;
}

export class Monitoring extends Construct {
  readonly alarms: Alarms;
  readonly dashboard: Dashboard;
  /** Address of the dashboard in the console. */
  readonly dashboardUrl: string;

  constructor(scope: Construct, id: string, props: MonitoringProps) {
    super(scope, id);
    const { routes, bridge, ingest, email } = props;
    const namespace = `Causeway/${Names.uniqueResourceName(this, { maxLength: 100, separator: '-' })}`;
    const metrics = new BridgeMetrics(bridge.logGroup, namespace);
    this.alarms = new Alarms(this, 'Alarms', {
      metrics,
      routes,
      ingest: ingest.function,
      email,
    });
    this.dashboard = new Dashboard(this, 'Dashboard', {
      defaultInterval: Duration.hours(3),
      widgets: this.widgets(metrics, props),
    });
    const { region } = Stack.of(this);
    this.dashboardUrl = `https://${region}.console.aws.amazon.com/cloudwatch/home?region=${region}#dashboards/dashboard/${this.dashboard.dashboardName}`;
  }

  private widgets(metrics: BridgeMetrics, props: MonitoringProps) {
    const { routes, bridge, ingest, api, table, publicInterface } = props;
    const period = Duration.minutes(1);
    const counted = { period, statistic: 'Sum' };
    const slow = { period, statistic: 'p99' };
    const ofRoutes = (
      field: Parameters<BridgeMetrics['ofRoute']>[0],
      statistic: 'Maximum' | 'Sum',
    ) => routes.map((route) => metrics.ofRoute(field, route, statistic).with({ label: route }));
    // The most that one widget shows; those of no route come last.
    const alarms = this.alarms.all.slice(-100);
    return [
      [new AlarmStatusWidget({ title: 'Alarms', alarms, width: 24, height: 3 })],
      [
        graph('Messages delivered, by route', ofRoutes('deliveredMessages', 'Sum')),
        graph('Active sessions, by route', ofRoutes('activeSessions', 'Maximum')),
        graph('Seconds on hold, by route', ofRoutes('holdingSeconds', 'Maximum')),
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
          publicInterface.api.metricServerError(counted),
        ]),
        graph('API, p99 in ms', [
          publicInterface.api.metricLatency(slow),
          api.function.metricDuration(slow),
        ]),
        graph('Commands, dead letters, disabled routes', [
          metrics.ofBridge('sentCommands', 'Sum'),
          metrics.ofBridge('failedCommands', 'Sum'),
          metrics.ofBridge('deadLetters', 'Maximum'),
          metrics.ofBridge('disabledRoutes', 'Maximum'),
        ]),
      ],
      [
        graph('Bridge, %', [
          bridge.service.metricCpuUtilization({ period }),
          bridge.service.metricMemoryUtilization({ period }),
        ]),
        new LogQueryWidget({
          title: "Warnings and errors in the bridge's log",
          logGroupNames: [bridge.logGroup.logGroupName],
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
    ];
  }
}

function graph(title: string, left: IMetric[]): GraphWidget {
  return new GraphWidget({ title, left, width: 8, height: 6, leftYAxis: { min: 0 } });
}
