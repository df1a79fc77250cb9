// Replays in a DynamoDB table: the oldest that is not at its end, and how far it is.
import { type DynamoDBClient, QueryCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { conditionHeld } from '../../functions/table/conditional-write.ts';
import {
  activeReplays,
  type Replay,
  replayKey,
  replayOf,
  stillActive,
} from '../../functions/table/replay.ts';

export interface ReplayTable {
  /** The oldest replay that has not ended. */
  next(): Promise<Replay | undefined>;
  /** Writes status and progress; false where the replay has been cancelled meanwhile, or forgotten. */
  save(replay: Replay): Promise<boolean>;
}

export function createReplayTable(client: DynamoDBClient, tableName: string): ReplayTable {
  return {
    async next() {
      // There are few: the api does not record one beyond its limit, and they are forgotten after a month.
      let after: Record<string, { S: string }> | undefined;
      do {
        const { Items = [], LastEvaluatedKey } = await client.send(
          new QueryCommand({
            TableName: tableName,
            ...activeReplays,
            ConsistentRead: true,
            ...(after !== undefined && { ExclusiveStartKey: after }),
          }),
        );
        const [oldest] = Items;
        if (oldest !== undefined) return replayOf(oldest);
        after = LastEvaluatedKey as typeof after;
      } while (after !== undefined);
      return undefined;
    },
    async save({ id, status, progress }) {
      return conditionHeld(
        client.send(
          new UpdateItemCommand({
            TableName: tableName,
            Key: replayKey(id),
            UpdateExpression: 'SET #status = :status, progress = :progress',
            ConditionExpression: stillActive.expression,
            ExpressionAttributeNames: stillActive.names,
            ExpressionAttributeValues: {
              ...stillActive.values,
              ':status': { S: status },
              ':progress': { S: JSON.stringify(progress) },
            },
          }),
        ),
      );
    },
  };
}
