// The quarantine in a DynamoDB table, where the api lists and replays it.
import { type DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { deadLetterItems } from '../functions/contract/dead-letter.ts';
import type { Quarantine } from './quarantine.ts';

/** A quarantine in a DynamoDB table. */
export function tableQuarantine(tableName: string, client: DynamoDBClient): Quarantine {
  return {
    async put(letter) {
      // One after the other: the main item comes last, when all of its chunks are there.
      for (const Item of deadLetterItems(letter)) {
        await client.send(new PutItemCommand({ TableName: tableName, Item }));
      }
    },
  };
}
