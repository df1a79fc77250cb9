// The one table, and who may do what with it.
import { RemovalPolicy } from 'aws-cdk-lib';
import {
  AttributeType,
  Billing,
  type ITableV2,
  TableEncryptionV2,
  type TablePropsV2,
  TableV2,
} from 'aws-cdk-lib/aws-dynamodb';
import type { IGrantable } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { messagesTable } from '../../functions/table/item.ts';
import type { CausewayConfig } from '../config/config.ts';
import type { ApiFunction, IngestFunction } from './functions.ts';

export interface MessagesTableProps {
  /**
   * DynamoDB refuses to delete the table, and it outlives its stack.
   *
   * @default true
   */
  readonly deletionProtection?: boolean;
  /** Which table it is, and what DynamoDB may take. */
  readonly settings?: CausewayConfig['table'];
}

export class MessagesTable extends Construct {
  readonly table: ITableV2;

  constructor(scope: Construct, id: string, props: MessagesTableProps = {}) {
    super(scope, id);
    const { deletionProtection = true, settings = {} } = props;
    if (settings.existingName !== undefined) {
      this.table = TableV2.fromTableName(this, 'Table', settings.existingName);
      return;
    }
    this.table = new TableV2(this, 'Table', {
      partitionKey: { name: messagesTable.partitionKey, type: AttributeType.STRING },
      sortKey: { name: messagesTable.sortKey, type: AttributeType.STRING },
      timeToLiveAttribute: messagesTable.timeToLive,
      ...throughputOf(settings),
      // The key that costs nothing: AWS bills each use of the others.
      encryption: TableEncryptionV2.dynamoOwnedKey(),
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection,
      removalPolicy: deletionProtection ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    }) as ITableV2;
  }

  /** Lets the ingest function write messages, look back for redelivered ones, and keep who is online. */
  grantIngest(ingest: IngestFunction): void {
    ingest.setVariable('MESSAGES_TABLE', this.table.tableName);
    this.allow(ingest.function, [
      'BatchGetItem',
      'BatchWriteItem',
      'GetItem',
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

  /** Lets the bridge hold leases, keep dead letters, and carry commands out. It is told the name in its document. */
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
    this.table.grant(grantee, ...actions.map((action) => `dynamodb:${action}`));
  }
}

/** Absent where nothing is set: the account's own limits hold, and the table grows by itself. */
function throughputOf(
  settings: CausewayConfig['table'],
): Pick<TablePropsV2, 'billing' | 'warmThroughput'> {
  const { maxReadUnitsPerSecond, maxWriteUnitsPerSecond } = settings;
  const { warmReadUnitsPerSecond, warmWriteUnitsPerSecond } = settings;
  const warmThroughput = {
    ...(warmReadUnitsPerSecond !== undefined && { readUnitsPerSecond: warmReadUnitsPerSecond }),
    ...(warmWriteUnitsPerSecond !== undefined && { writeUnitsPerSecond: warmWriteUnitsPerSecond }),
  };
  return {
    billing: Billing.onDemand({
      ...(maxReadUnitsPerSecond !== undefined && { maxReadRequestUnits: maxReadUnitsPerSecond }),
      ...(maxWriteUnitsPerSecond !== undefined && { maxWriteRequestUnits: maxWriteUnitsPerSecond }),
    }),
    ...(Object.keys(warmThroughput).length > 0 && { warmThroughput }),
  };
}
