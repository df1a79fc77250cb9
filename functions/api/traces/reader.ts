// Traces as the api finds them: those that are kept in the table, and those of messages that the bridge still has.
import { type DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import type { Trace } from '../../contract/trace.ts';
import { unexpired } from '../../table/partition.ts';
import { traceOf, tracePartition } from '../../table/trace-item.ts';
import type { WaitingTraces } from '../bridge-client/bridge-client.ts';

export interface FoundTraces {
  /** One for each route at most, those of messages that wait first. */
  readonly traces: readonly Trace[];
  /** Whether the bridge could be asked. */
  readonly isComplete: boolean;
}

export interface TraceReader {
  find(messageId: string): Promise<FoundTraces>;
}

export interface TraceReaderOptions {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  readonly waiting: WaitingTraces;
  readonly now?: () => number;
}

/** More routes than a config can have. */
const maxTraces = 100;

export function createTraceReader(options: TraceReaderOptions): TraceReader {
  const { client, tableName, waiting, now = Date.now } = options;

  async function kept(messageId: string): Promise<Trace[]> {
    const filter = unexpired(now());
    const { Items = [] } = await client.send(
      new QueryCommand({
        TableName: tableName,
        KeyConditionExpression: 'pk = :pk',
        FilterExpression: filter.expression,
        ExpressionAttributeValues: { ':pk': { S: tracePartition(messageId) }, ...filter.values },
        Limit: maxTraces,
      }),
    );
    return Items.map(traceOf);
  }

  return {
    async find(messageId) {
      const [ended, now] = await Promise.all([kept(messageId), waiting(messageId)]);
      const routes = new Set(now?.map(({ route }) => route));
      // One that came again waits again.
      const others = ended.filter(({ route }) => !routes.has(route));
      return { traces: [...(now ?? []), ...others], isComplete: now !== undefined };
    },
  };
}
