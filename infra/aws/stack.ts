// The stack of one deployment: a Causeway, its tags, and what to do next as outputs.
import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import { Vpc } from 'aws-cdk-lib/aws-ec2';
import type { Construct } from 'constructs';
import type { Deployment } from '../config/config.ts';
import { Causeway } from './causeway.ts';

export interface CausewayStackProps extends StackProps {
  /** A checked deployment. */
  readonly deployment: Deployment;
}

export class CausewayStack extends Stack {
  readonly causeway: Causeway;

  constructor(scope: Construct, id: string, { deployment, ...props }: CausewayStackProps) {
    const { stackName, tags, ...config } = deployment;
    super(scope, id, {
      description: 'Causeway: a serverless bridge between MQTT and HTTP',
      ...props,
      // CloudFormation puts them on everything in the stack.
      tags,
    });
    const { vpcId } = config.bridge;
    this.causeway = new Causeway(this, 'Causeway', {
      ...config,
      ...(vpcId !== undefined && { vpc: Vpc.fromLookup(this, 'Vpc', { vpcId }) }),
    });

    const { publicInterface, table, monitoring } = this.causeway;
    new CfnOutput(this, 'ApiUrl', {
      value: publicInterface.url,
      description: 'Public interface; /docs describes it',
    });
    new CfnOutput(this, 'TokenCommand', {
      value: `npm run token -- create --name admin --scope admin --table ${table.table.tableName}`,
      description: 'Makes a token for the API, with your AWS credentials; it is shown once',
    });
    if (monitoring.dashboardUrl !== undefined)
      new CfnOutput(this, 'DashboardUrl', { value: monitoring.dashboardUrl });
  }
}
