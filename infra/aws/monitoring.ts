// Alarms of one deployment, and its dashboard where somebody wants one.
import { Aws, CfnMapping, Names, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { Alarms } from './alarms.ts';
import { severityMetric } from './bridge-metrics.ts';
import { newDashboard, type Watched } from './dashboard.ts';

export interface MonitoringProps extends Watched {
  /** Whether a platform may push messages to the public interface. */
  readonly hasPush: boolean;
  readonly hasDashboard: boolean;
  /**
   * Address that is told of alarms.
   *
   * @default - nobody is told
   */
  readonly email?: string | undefined;
}

/** Hosts of AWS's console, each with the regions of one partition. */
const consoles = {
  aws: { console: 'console.aws.amazon.com' },
  'aws-cn': { console: 'console.amazonaws.cn' },
  'aws-us-gov': { console: 'console.amazonaws-us-gov.com' },
};

export class Monitoring extends Construct {
  readonly alarms: Alarms;
  /** Address of the dashboard in the console; undefined where there is none. */
  readonly dashboardUrl: string | undefined;

  constructor(scope: Construct, id: string, props: MonitoringProps) {
    super(scope, id);
    const { bridge, publicInterface, hasPush, hasDashboard, email } = props;
    const namespace = `Causeway/${Names.uniqueResourceName(this, { maxLength: 100, separator: '-' })}`;
    const severity = severityMetric(bridge.logGroup, namespace);
    this.alarms = new Alarms(this, 'Alarms', {
      severity,
      ...(hasPush && { failedPushes: publicInterface.failedRequests() }),
      email,
    });
    if (!hasDashboard) return;
    const { dashboardName } = newDashboard(this, props, { severity, alarms: this.alarms.all });
    const { region } = Stack.of(this);
    const partitions = new CfnMapping(this, 'Partitions', { mapping: consoles });
    const console = partitions.findInMap(Aws.PARTITION, 'console');
    this.dashboardUrl = `https://${console}/cloudwatch/home?region=${region}#dashboards/dashboard/${dashboardName}`;
  }
}
