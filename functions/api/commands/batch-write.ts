// Puts many items into the table, and tells which of them could not be written.
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { mapInParallel } from '../../contract/parallel.ts';
import { putBatch } from '../../table/batch-write.ts';
import type { Item } from '../../table/item.ts';

export interface BatchWriteOptions {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  /** Told why items were not written. */
  readonly onError: (error: Error) => void;
  /** Time to spend on what DynamoDB leaves unprocessed, in milliseconds. */
  readonly timeBudgetMs: number;
}

/** Puts the items, in no order, no two with one key; resolves with those that may not have been written. */
export type BatchWrite = (items: readonly Item[]) => Promise<ReadonlySet<Item>>;

/** BatchWriteItem takes 25 items and 16 MB: as many of the largest items are 10 MB. */
const maxItems = 25;
const callsAtOnce = 8;

export function createBatchWrite(options: BatchWriteOptions): BatchWrite {
  const { client, tableName, onError, timeBudgetMs } = options;
  return async (items) => {
    const target = { client, tableName, deadlineMs: Date.now() + timeBudgetMs, now: Date.now };
    const calls: (readonly Item[])[] = [];
    for (let start = 0; start < items.length; start += maxItems)
      calls.push(items.slice(start, start + maxItems));
    const lost = await mapInParallel(calls, callsAtOnce, async (group) => {
      const unput = await putBatch(group, target);
      if (unput.error instanceof Error) onError(unput.error);
      else if (unput.items.length > 0)
        onError(new Error(`DynamoDB left ${unput.items.length} items unprocessed`));
      return unput.items;
    });
    return new Set(lost.flat());
  };
}
