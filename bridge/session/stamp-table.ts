// Times of receipt in a DynamoDB table, beside the leases: one item for each session.
import { type DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { parseStamps } from './receipt-clock.ts';
import type { StampStore } from './session-clock.ts';

/** Partition of all sessions' stamps; the sort key is the name of the session's lease. */
const stampPartition = 'receipt-time';

export function tableStamps(TableName: string, client: DynamoDBClient): StampStore {
  const keyOf = (name: string) => ({ pk: { S: stampPartition }, sk: { S: name } });
  return {
    async read(name) {
      const { Item } = await client.send(
        new GetItemCommand({ TableName, Key: keyOf(name), ConsistentRead: true }),
      );
      const text = Item?.['stamps']?.S;
      return text === undefined ? undefined : parseStamps(text);
    },
    async write(name, stamps) {
      const Item = { ...keyOf(name), stamps: { S: JSON.stringify(stamps) } };
      await client.send(new PutItemCommand({ TableName, Item }));
    },
  };
}
