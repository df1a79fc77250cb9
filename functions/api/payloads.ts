// Whole messages from items: the payload of a large one is read from its chunks and held to its digest.
import { type DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import { itemBytes, joinChunks } from '../contract/chunks.ts';
import {
  type ChunkedPayload,
  chunkedPayloadOf,
  type Item,
  messageChunksPartition,
  messageOf,
  payloadDigest,
} from '../contract/item.ts';
import type { Message } from '../contract/message.ts';

/** Bytes that an item takes once its payload is read, wherever that is stored. */
export function wholeBytesOf(item: Item): number {
  return itemBytes(item) + (chunkedPayloadOf(item)?.bytes ?? 0);
}

export interface ChunkSource {
  readonly client: DynamoDBClient;
  readonly tableName: string;
}

/** The message that an item stores. Throws where chunks are missing or others: they are written before the item. */
export async function wholeMessageOf(item: Item, source: ChunkSource): Promise<Message> {
  const chunked = chunkedPayloadOf(item);
  const message = messageOf(item);
  if (chunked === undefined) return message;
  const partition = messageChunksPartition(message);
  const payload = joinChunks(await readChunks(partition, chunked, source));
  if (Buffer.compare(payloadDigest(payload), chunked.sha256) !== 0)
    throw new Error(`the chunks in ${partition} do not make the payload they were made from`);
  return { ...message, payload };
}

async function readChunks(
  partition: string,
  { chunks }: ChunkedPayload,
  { client, tableName }: ChunkSource,
): Promise<Item[]> {
  const items: Item[] = [];
  let after: Item | undefined;
  // A query reads at most 1 MB, which is two or three chunks.
  do {
    const { Items = [], LastEvaluatedKey } = await client.send(
      new QueryCommand({
        TableName: tableName,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': { S: partition } },
        // The item may be a moment old, and its chunks not on every replica yet.
        ConsistentRead: true,
        Limit: chunks - items.length,
        ...(after !== undefined && { ExclusiveStartKey: after }),
      }),
    );
    items.push(...Items);
    after = LastEvaluatedKey;
  } while (after !== undefined && items.length < chunks);
  return items;
}
