// The quarantine in a DynamoDB table, where the api lists it, and where a replay finds a dead letter.
import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import {
  deadLetterChunkPartition,
  deadLetterEnvelope,
  deadLetterItems,
  deadLetterKey,
  deadLetterKeys,
  quarantinePartition,
} from '../../functions/contract/dead-letter.ts';
import { readChunks } from '../../functions/contract/partition.ts';
import { maxCounted, type Quarantine } from './quarantine.ts';
import type { FindLetter } from './replay.ts';

/** A quarantine in a DynamoDB table. */
export function tableQuarantine(tableName: string, client: DynamoDBClient): Quarantine {
  return {
    async put(letter) {
      // One after the other: the main item comes last, when all of its chunks are there.
      for (const Item of deadLetterItems(letter)) {
        await client.send(new PutItemCommand({ TableName: tableName, Item }));
      }
    },
    async count() {
      // One page: of large ones it counts as many as 1 MB holds.
      const { Count = 0 } = await client.send(
        new QueryCommand({
          TableName: tableName,
          KeyConditionExpression: 'pk = :pk',
          ExpressionAttributeValues: { ':pk': { S: quarantinePartition } },
          Select: 'COUNT',
          Limit: maxCounted,
        }),
      );
      return Count;
    },
  };
}

/** Finds the dead letters of a table. */
export function findInTable(TableName: string, client: DynamoDBClient): FindLetter {
  return async (id) => {
    const Key = deadLetterKey(id);
    const { Item: main } = await client.send(
      new GetItemCommand({ TableName, Key, ConsistentRead: true }),
    );
    if (main === undefined) return undefined;
    const count = Number(main['chunks']?.N ?? 0);
    const source = { client, tableName: TableName };
    const chunks = await readChunks(source, deadLetterChunkPartition(id), count);
    return {
      route: main['route']?.S ?? '',
      envelope: deadLetterEnvelope(main, chunks),
      async countAttempt() {
        try {
          await client.send(
            new UpdateItemCommand({
              TableName,
              Key,
              UpdateExpression: 'SET attempts = attempts + :one',
              // Not for one that was deleted meanwhile: it would come back as an empty item.
              ConditionExpression: 'attribute_exists(pk)',
              ExpressionAttributeValues: { ':one': { N: '1' } },
            }),
          );
        } catch (error) {
          if (!(error instanceof ConditionalCheckFailedException)) throw error;
        }
      },
      async remove() {
        // The main item first: without it no one sees the rest.
        for (const each of deadLetterKeys(main))
          await client.send(new DeleteItemCommand({ TableName, Key: each }));
      },
    };
  };
}
