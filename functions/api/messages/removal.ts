// Deletes messages of a topic: writes down that they are deleted, which readers obey at once, and takes the single items
// away, as far as the time reaches.
import { setTimeout as delay } from 'node:timers/promises';
import {
  BatchWriteItemCommand,
  DeleteItemCommand,
  PutItemCommand,
  type WriteRequest,
} from '@aws-sdk/client-dynamodb';
import { fullJitterMs } from '../../contract/backoff.ts';
import { chunkKeys } from '../../table/chunks.ts';
import { conditionHeld } from '../../table/conditional-write.ts';
import {
  type Deletion,
  deletionItem,
  deletionMarkItem,
  joinedWith,
  maxDeletions,
  readDeletions,
} from '../../table/deletion.ts';
import {
  chunkedPayloadOf,
  type Item,
  messageChunksPartition,
  messageOf,
  messagePartition,
} from '../../table/item.ts';
import { knownTopicKey } from '../../table/known-topic.ts';
import { type ItemSource, readPartition } from '../../table/partition.ts';

export interface RemovalOptions extends ItemSource {
  /** As ingest writes with, at least. */
  readonly writeShards: number;
  /** Time for one call, in milliseconds. Default 15,000: API Gateway waits for 30 s. */
  readonly maxMs?: number;
}

export interface Removed {
  /** Single messages that this call took away; where the table was too busy, some of the last may still be there. */
  readonly messages: number;
  /** Whether none of them is left. They are hidden, whether or not. */
  readonly isComplete: boolean;
}

/**
 * Undefined where there are {@link maxDeletions} others: then nothing is deleted. Rejects where the database is lost; asked
 * again, it goes on.
 */
export type RemoveMessages = (deletion: Deletion) => Promise<Removed | undefined>;

const defaultMaxMs = 15_000;
/** A BatchWriteItem takes 25. */
const keysOfBatch = 25;

export function createRemoveMessages(options: RemovalOptions): RemoveMessages {
  const { client, tableName: TableName, writeShards, maxMs = defaultMaxMs } = options;

  /** Whether all are away before the deadline; a busy table is asked no longer. */
  async function removeItems(keys: readonly Item[], deadlineMs: number): Promise<boolean> {
    let left: WriteRequest[] = keys.map((Key) => ({ DeleteRequest: { Key } }));
    for (let attempt = 0; left.length > 0; attempt++) {
      if (attempt > 0) {
        if (performance.now() >= deadlineMs) return false;
        await delay(fullJitterMs(attempt, 50, 1600));
      }
      const { UnprocessedItems } = await client.send(
        new BatchWriteItemCommand({ RequestItems: { [TableName]: left } }),
      );
      left = UnprocessedItems?.[TableName] ?? [];
    }
    return true;
  }

  /** The keys of single messages that are deleted, each with those of its chunks before it. */
  async function* singleMessages({ topic, from, to }: Deletion): AsyncGenerator<Item[], void> {
    // A bare time sorts before all of its moment, so `to` is left out.
    const range = { low: from ?? '0', high: to, newestFirst: false };
    const bounds = { maxQueries: Number.POSITIVE_INFINITY, consistent: true };
    for (let shard = 0; shard < writeShards; shard++)
      for await (const { item } of readPartition(
        options,
        messagePartition(topic, shard),
        range,
        bounds,
      )) {
        if (item === undefined) continue;
        const partition = messageChunksPartition(messageOf(item));
        const chunks = chunkKeys(partition, chunkedPayloadOf(item)?.chunks ?? 0);
        const { pk, sk } = item;
        yield [...chunks, { pk, sk } as Item];
      }
  }

  /** Whether there was room for it. */
  async function writeDown(deletion: Deletion, deadlineMs: number): Promise<boolean> {
    const deletions = await readDeletions(options, { consistent: true });
    const { joined, replaced } = joinedWith(deletion, deletions.of(deletion.topic));
    if (deletions.count - replaced.length >= maxDeletions) return false;
    const item = deletionItem(joined);
    for (const Item of [item, deletionMarkItem()])
      await client.send(new PutItemCommand({ TableName, Item }));
    // Only then: nobody may read in between, and miss both. What is left of them is replaced the next time.
    const keys = replaced
      .map(deletionItem)
      .filter(({ sk }) => sk?.S !== item['sk']?.S)
      .map(({ pk, sk }) => ({ pk, sk }) as Item);
    while (keys.length > 0 && (await removeItems(keys.splice(0, keysOfBatch), deadlineMs)));
    return true;
  }

  /** What has no message any more is no topic; the next one makes it known again. */
  async function forgetTopic({ topic, to }: Deletion): Promise<void> {
    await conditionHeld(
      client.send(
        new DeleteItemCommand({
          TableName,
          Key: knownTopicKey(topic),
          ConditionExpression: 'lastSeen < :to',
          ExpressionAttributeValues: { ':to': { S: to } },
        }),
      ),
    );
  }

  return async (deletion) => {
    const deadlineMs = performance.now() + maxMs;
    if (!(await writeDown(deletion, deadlineMs))) return undefined;
    let messages = 0;
    const keys: Item[] = [];
    /** Until fewer than `minKeys` are left; whether the time sufficed. */
    const removeAll = async (minKeys: number) => {
      let isDone = true;
      while (isDone && keys.length >= minKeys)
        isDone = await removeItems(keys.splice(0, keysOfBatch), deadlineMs);
      return isDone;
    };
    for await (const own of singleMessages(deletion)) {
      keys.push(...own);
      messages++;
      if ((await removeAll(keysOfBatch)) && performance.now() < deadlineMs) continue;
      await removeAll(1);
      return { messages, isComplete: false };
    }
    if (!(await removeAll(1))) return { messages, isComplete: false };
    if (deletion.from === undefined) await forgetTopic(deletion);
    return { messages, isComplete: true };
  };
}
