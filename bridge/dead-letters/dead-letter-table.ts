// The dead letters in a DynamoDB table, where the api lists it, and where a replay finds a dead letter.
import {
  type AttributeValue,
  DeleteItemCommand,
  type DynamoDBClient,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { chunkKeys } from '../../functions/table/chunks.ts';
import { conditionHeld } from '../../functions/table/conditional-write.ts';
import {
  chunkPartition,
  deadLetterItems,
  deadLetterKey,
  deadLetterPartition,
  type StreamedDeadLetter,
  streamedDeadLetterItems,
  unexpiredDeadLetters,
} from '../../functions/table/dead-letter.ts';
import type { Item } from '../../functions/table/item.ts';
import { chunksOf, createStoredDeadLetters } from '../../functions/table/stored-dead-letters.ts';
import { type DeadLetterLimits, defaultDeadLetterLimits } from '../config/dead-letters.ts';
import type { FindDeadLetter } from './dead-letter-replay.ts';
import { type DeadLetterAt, deadLetterSlots } from './dead-letter-slots.ts';
import { type DeadLetterStore, maxCounted } from './dead-letter-store.ts';

const daySeconds = 86_400;

/** A store of dead letters in a DynamoDB table. */
export function tableDeadLetters(
  tableName: string,
  client: DynamoDBClient,
  { retentionDays, maxPerTopic }: DeadLetterLimits = defaultDeadLetterLimits,
): DeadLetterStore {
  const stored = createStoredDeadLetters({ client, tableName });
  const takeSlot = deadLetterSlots({ client, tableName, places: maxPerTopic });

  /** Writes the items, the main one last, when all of its chunks are there; resolves with how many those are. */
  async function write(
    items: Iterable<Item> | AsyncIterable<Item>,
    expiresAt: AttributeValue,
  ): Promise<number> {
    let written = 0;
    for await (const item of items) {
      const Item = { ...item, expiresAt };
      await client.send(new PutItemCommand({ TableName: tableName, Item }));
      written++;
    }
    return written - 1;
  }

  async function putStreamed(
    letter: StreamedDeadLetter,
    expiresAt: AttributeValue,
  ): Promise<number> {
    let chunks = 0;
    async function* counted() {
      for await (const item of streamedDeadLetterItems(letter)) {
        yield item;
        chunks++;
      }
    }
    try {
      return await write(counted(), expiresAt);
    } catch (error) {
      // The next try is another dead letter, as it is another delivery: nobody would find what there is of this one.
      for (const Key of chunkKeys(chunkPartition(letter), chunks + 1))
        await client.send(new DeleteItemCommand({ TableName: tableName, Key })).catch(() => {});
      throw error;
    }
  }

  /** Deletes the dead letter that had the place; gives its id where it was still there. */
  async function displace(displaced: DeadLetterAt | undefined): Promise<string | undefined> {
    if (displaced === undefined) return undefined;
    return (await stored.remove(displaced.id, displaced.chunks)) ? displaced.id : undefined;
  }

  return {
    async put(letter) {
      const expiresAtSeconds = Math.floor(Date.now() / 1000) + retentionDays * daySeconds;
      const expiresAt = { N: String(expiresAtSeconds) };
      const chunks =
        letter.payload === undefined
          ? await write(deadLetterItems(letter), expiresAt)
          : await putStreamed(letter, expiresAt);
      // It is safe: that another one could not make room is no reason to send it once more.
      return takeSlot(letter, chunks, expiresAtSeconds)
        .then(displace)
        .catch(() => undefined);
    },
    async count() {
      const unexpired = unexpiredDeadLetters(Date.now());
      // One page: of large ones it counts as many as 1 MB holds.
      const { Count = 0 } = await client.send(
        new QueryCommand({
          TableName: tableName,
          KeyConditionExpression: 'pk = :pk',
          FilterExpression: unexpired.expression,
          ExpressionAttributeValues: { ':pk': { S: deadLetterPartition }, ...unexpired.values },
          // Those that have expired are the oldest.
          ScanIndexForward: false,
          Select: 'COUNT',
          Limit: maxCounted,
        }),
      );
      return Count;
    },
  };
}

/** Finds the dead letters of a table. */
export function findInTable(TableName: string, client: DynamoDBClient): FindDeadLetter {
  const stored = createStoredDeadLetters({ client, tableName: TableName });
  return async (id) => {
    const main = await stored.find(id);
    if (main === undefined) return undefined;
    return {
      route: main['route']?.S ?? '',
      bytes: Number(main['bytes']?.N ?? 0),
      envelope: () => stored.envelope(main),
      async countAttempt() {
        // Not for one that was deleted meanwhile: it would come back as an empty item.
        await conditionHeld(
          client.send(
            new UpdateItemCommand({
              TableName,
              Key: deadLetterKey(id),
              UpdateExpression: 'SET attempts = attempts + :one',
              ConditionExpression: 'attribute_exists(pk)',
              ExpressionAttributeValues: { ':one': { N: '1' } },
            }),
          ),
        );
      },
      async remove() {
        await stored.remove(id, chunksOf(main));
      },
    };
  };
}
