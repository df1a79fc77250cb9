// The stack: for now the messages table and the ingest function that writes to it.
import { Duration, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { AttributeType, Billing, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { Architecture, FunctionUrlAuthType, Runtime } from 'aws-cdk-lib/aws-lambda';
import { NodejsFunction, OutputFormat } from 'aws-cdk-lib/aws-lambda-nodejs';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { messagesTable } from '../../functions/contract/item.ts';

export class CausewayStack extends Stack {
  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props);

    const table = new TableV2(this, 'Messages', {
      partitionKey: { name: messagesTable.partitionKey, type: AttributeType.STRING },
      sortKey: { name: messagesTable.sortKey, type: AttributeType.STRING },
      timeToLiveAttribute: messagesTable.timeToLive,
      billing: Billing.onDemand(),
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });

    const ingest = new NodejsFunction(this, 'Ingest', {
      entry: 'functions/ingest/lambda.ts',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: 512,
      timeout: Duration.seconds(30),
      environment: { MESSAGES_TABLE: table.tableName },
      bundling: {
        format: OutputFormat.ESM,
        minify: true,
        sourceMap: true,
        mainFields: ['module', 'main'],
      },
      logGroup: new LogGroup(this, 'IngestLogs', { retention: RetentionDays.ONE_MONTH }),
    });
    table.grantWriteData(ingest);
    ingest.addFunctionUrl({ authType: FunctionUrlAuthType.AWS_IAM });
  }
}
