// The one table, and who may do what with it.
import { RemovalPolicy } from 'aws-cdk-lib';
import { AttributeType, Billing, TableEncryptionV2, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import type { IGrantable } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { messagesTable } from '../../functions/contract/item.ts';
import type { ApiFunction, IngestFunction } from './functions.ts';

export interface MessagesTableProps {
  /**
   * DynamoDB refuses to delete the table, and it outlives its stack.
   *
   * @default true
   */
  readonly deletionProtection?: boolean;
}

export class MessagesTable extends Construct {
  readonly table: TableV2;

  constructor(scope: Construct, id: string, props: MessagesTableProps = {}) {
    super(scope, id);
    const deletionProtection = props.deletionProtection ?? true;
    this.table = new TableV2(this, 'Table', {
      partitionKey: { name: messagesTable.partitionKey, type: AttributeType.STRING },
      sortKey: { name: messagesTable.sortKey, type: AttributeType.STRING },
      timeToLiveAttribute: messagesTable.timeToLive,
      billing: Billing.onDemand(),
      // The key that costs nothing: AWS bills each use of the others.
      encryption: TableEncryptionV2.dynamoOwnedKey(),
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection,
      removalPolicy: deletionProtection ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
  }

  /** Lets the ingest function write messages, look back for redelivered ones, and keep who is online. */
  grantIngest(ingest: IngestFunction): void {
    ingest.setVariable('MESSAGES_TABLE', this.table.tableName);
    this.allow(ingest.function, [
      'BatchGetItem',
      'BatchWriteItem',
      'PutItem',
      'Query',
      'UpdateItem',
    ]);
  }

  /** Lets the api function read what there is, record commands and replays, check tokens, and delete dead letters. */
  grantApi(api: ApiFunction): void {
    api.setVariable('MESSAGES_TABLE', this.table.tableName);
    this.allow(api.function, [
      'BatchGetItem',
      'BatchWriteItem',
      'DeleteItem',
      'GetItem',
      'PutItem',
      'Query',
      'UpdateItem',
    ]);
  }

  /** Lets the bridge hold leases, quarantine messages, and carry commands out. It is told the name in its document. */
  grantBridge(bridge: IGrantable): void {
    this.allow(bridge, [
      'BatchGetItem',
      'BatchWriteItem',
      'DeleteItem',
      'GetItem',
      'PutItem',
      'Query',
      'UpdateItem',
    ]);
  }

  private allow(grantee: IGrantable, actions: readonly string[]): void {
    this.table.grants.actions(grantee, ...actions.map((action) => `dynamodb:${action}`));
  }
}
