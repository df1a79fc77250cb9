// The alarms: each stands for something that a person has to look at, and says what to do.
import { Duration } from 'aws-cdk-lib';
import {
  Alarm,
  ComparisonOperator,
  type IMetric,
  MathExpression,
  Metric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { type ITopic, Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import type { BridgeMetrics } from './bridge-metrics.ts';
import { type AlarmName, runbook } from './runbook.ts';

export interface AlarmsProps {
  readonly metrics: BridgeMetrics;
  readonly routes: readonly string[];
  readonly ingest: LambdaFunction;
  /**
   * Address that is told.
   *
   * @default - nobody is told; the dashboard shows them, and {@link Alarms.all} can be given actions
   */
  readonly email?: string | undefined;
}

interface Condition {
  readonly metric: IMetric;
  /** Rings when the metric is at least this. */
  readonly atLeast?: number;
  /** Rings when the metric is below this. */
  readonly below?: number;
  /** Minutes that must be so, of how many. */
  readonly minutes: readonly [number, number];
  readonly missing?: TreatMissingData;
}

export class Alarms extends Construct {
  readonly all: Alarm[] = [];

  constructor(scope: Construct, id: string, { metrics, routes, ingest, email }: AlarmsProps) {
    super(scope, id);
    for (const route of routes) {
      this.add('NoSession', route, {
        metric: metrics.ofRoute('activeSessions', route, 'Maximum'),
        below: 1,
        minutes: [5, 5],
        // A bridge that says nothing does nothing.
        missing: TreatMissingData.BREACHING,
      });
      this.add('RouteUnhealthy', route, {
        metric: metrics.ofRoute('failingSessions', route, 'Maximum'),
        atLeast: 1,
        minutes: [5, 5],
      });
      this.add('Holding', route, {
        metric: metrics.ofRoute('holdingSeconds', route, 'Maximum'),
        atLeast: 300,
        minutes: [1, 1],
      });
    }
    this.add('QuarantineNotEmpty', undefined, {
      metric: metrics.ofBridge('deadLetters', 'Maximum'),
      atLeast: 1,
      minutes: [1, 1],
      missing: TreatMissingData.IGNORE,
    });
    // One for all routes, as /v1/routes names them: a metric and an alarm for each would cost as much for each.
    this.add('RouteDisabled', undefined, {
      metric: metrics.ofBridge('disabledRoutes', 'Maximum'),
      atLeast: 1,
      minutes: [1, 1],
      // A bridge that is away has not resumed it; NoSession says that it is away.
      missing: TreatMissingData.IGNORE,
    });
    this.add('CommandsFailed', undefined, {
      metric: metrics.ofBridge('failedCommands', 'Sum'),
      atLeast: 1,
      minutes: [1, 5],
    });
    this.add('CertificateExpiring', undefined, {
      metric: metrics.ofBridge('certificateDaysLeft', 'Minimum'),
      below: 14,
      minutes: [5, 5],
    });
    const period = Duration.minutes(1);
    this.add('IngestErrors', undefined, {
      metric: new MathExpression({
        label: 'errors and 5xx',
        expression: 'errors + refused',
        period,
        usingMetrics: {
          errors: ingest.metricErrors({ period, statistic: 'Sum' }),
          refused: functionUrlFailures(ingest),
        },
      }),
      atLeast: 1,
      minutes: [3, 5],
    });
    this.add('IngestThrottled', undefined, {
      metric: ingest.metricThrottles({ period, statistic: 'Sum' }),
      atLeast: 1,
      minutes: [3, 5],
    });
    if (email !== undefined) this.tell(email);
  }

  private add(name: AlarmName, route: string | undefined, condition: Condition): void {
    const { metric, atLeast, below, minutes, missing } = condition;
    const { means, action } = runbook[name];
    const alarm = new Alarm(this, route === undefined ? name : `${name}-${route}`, {
      metric,
      threshold: atLeast ?? below ?? 0,
      comparisonOperator:
        atLeast !== undefined
          ? ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
          : ComparisonOperator.LESS_THAN_THRESHOLD,
      datapointsToAlarm: minutes[0],
      evaluationPeriods: minutes[1],
      treatMissingData: missing ?? TreatMissingData.NOT_BREACHING,
      alarmDescription: `${name}${route === undefined ? '' : ` (route ${route})`}: ${means} ${action}`,
    });
    this.all.push(alarm);
  }

  private tell(email: string): void {
    const topic = new Topic(this, 'Topic', { displayName: 'Causeway alarms', enforceSSL: true });
    topic.addSubscription(new EmailSubscription(email));
    for (const alarm of this.all) {
      alarm.addAlarmAction(new SnsAction(topic as ITopic));
      alarm.addOkAction(new SnsAction(topic as ITopic));
    }
  }
}

/** Answers of 5xx at the function URL, which are no errors to Lambda where the function itself gave them. */
function functionUrlFailures(ingest: LambdaFunction): Metric {
  return new Metric({
    namespace: 'AWS/Lambda',
    metricName: 'Url5xxCount',
    dimensionsMap: { FunctionName: ingest.functionName },
    statistic: 'Sum',
    period: Duration.minutes(1),
  });
}
