// One BatchWriteItem call, and what DynamoDB leaves unprocessed of it again, until it is done or the time is over.
import { setTimeout as delay } from 'node:timers/promises';
import {
  BatchWriteItemCommand,
  type DynamoDBClient,
  type WriteRequest,
} from '@aws-sdk/client-dynamodb';
import { fullJitterMs } from '../contract/backoff.ts';
import type { Item } from './item.ts';

export interface PutBatchOptions {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  /** Nothing is tried again after it, in milliseconds of `now`. */
  readonly deadlineMs: number;
  readonly now: () => number;
  /** Ends the call that is under way, as a failure of it. */
  readonly abortSignal?: AbortSignal | undefined;
}

/** What was not written; `error` where a call failed, otherwise DynamoDB left it unprocessed. */
export interface Unput {
  readonly items: readonly Item[];
  readonly error?: unknown;
}

/** Puts up to 25 items of at most 16 MB, no two with one key. Rejects never. */
export async function putBatch(items: readonly Item[], options: PutBatchOptions): Promise<Unput> {
  const { client, tableName, deadlineMs, now, abortSignal } = options;
  let left: WriteRequest[] = items.map((item) => ({ PutRequest: { Item: item } }));
  for (let attempt = 0; ; attempt++) {
    try {
      const { UnprocessedItems } = await client.send(
        new BatchWriteItemCommand({ RequestItems: { [tableName]: left } }),
        abortSignal && { abortSignal },
      );
      left = UnprocessedItems?.[tableName] ?? [];
    } catch (error) {
      return { items: stillIn(left, items), error };
    }
    // Full jitter: 50 ms doubling to 1.6 s at most, as AWS advises for unprocessed items.
    const waitMs = fullJitterMs(attempt, 50, 1600);
    if (left.length === 0 || now() + waitMs > deadlineMs) return { items: stillIn(left, items) };
    await delay(waitMs);
  }
}

/** The items that the requests still hold: DynamoDB gives them back as copies. */
function stillIn(left: readonly WriteRequest[], items: readonly Item[]): Item[] {
  const keyOf = (item: Item | undefined) => `${item?.['pk']?.S} ${item?.['sk']?.S}`;
  const keys = new Set(left.map(({ PutRequest }) => keyOf(PutRequest?.Item)));
  return items.filter((item) => keys.has(keyOf(item)));
}
