// The alarms: each stands for something that a person has to look at, and says what to do. They are few, as a person reads
// few: which route it is, and why, is in the log and at /v1/routes.
import { Stack } from 'aws-cdk-lib';
import {
  Alarm,
  ComparisonOperator,
  type IMetric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { type ITopic, Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import { type AlarmName, runbook } from './runbook.ts';

export interface AlarmsProps {
  /** How bad it is: 0 well, 1 to be looked at, 2 something does not flow. */
  readonly severity: IMetric;
  /** Answers of 5xx at the public interface; absent where nobody pushes messages to it. */
  readonly failedPushes?: IMetric | undefined;
  /**
   * Address that is told.
   *
   * @default - nobody is told; {@link Alarms.all} can be given actions
   */
  readonly email?: string | undefined;
}

/** What lasts for less is over before a person has looked; events stay in the metric for ten minutes. */
const minutes = 5;

export class Alarms extends Construct {
  readonly all: Alarm[] = [];

  constructor(scope: Construct, id: string, { severity, failedPushes, email }: AlarmsProps) {
    super(scope, id);
    // A bridge that says nothing does nothing.
    this.add('Outage', severity, 2, TreatMissingData.BREACHING);
    this.add('Attention', severity, 1, TreatMissingData.NOT_BREACHING);
    if (failedPushes !== undefined)
      this.add('PushesFailed', failedPushes, 1, TreatMissingData.NOT_BREACHING);
    if (email !== undefined) this.tell(email);
  }

  private add(
    name: AlarmName,
    metric: IMetric,
    threshold: number,
    treatMissingData: TreatMissingData,
  ): void {
    const { means, action } = runbook[name];
    const alarm = new Alarm(this, name, {
      metric,
      threshold,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      datapointsToAlarm: minutes,
      evaluationPeriods: minutes,
      treatMissingData,
      alarmDescription: `${name}: ${means} ${action}`,
    });
    this.all.push(alarm);
  }

  private tell(email: string): void {
    const topic = new Topic(this, 'Topic', { displayName: 'Causeway alarms', enforceSSL: true });
    // A policy of its own, such as that for TLS, takes the place of the one that lets CloudWatch publish.
    topic.addToResourcePolicy(
      new PolicyStatement({
        actions: ['sns:Publish'],
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        resources: [topic.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    );
    topic.addSubscription(new EmailSubscription(email));
    for (const alarm of this.all) {
      alarm.addAlarmAction(new SnsAction(topic as ITopic));
      alarm.addOkAction(new SnsAction(topic as ITopic));
    }
  }
}
