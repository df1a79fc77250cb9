// Writes items to the table: BatchWriteItem calls side by side, and exactly what was not written as the result.
import { setTimeout as delay } from 'node:timers/promises';
import {
  BatchWriteItemCommand,
  type DynamoDBClient,
  DynamoDBServiceException,
  type WriteRequest,
} from '@aws-sdk/client-dynamodb';
import type { Item } from '../contract/item.ts';
import { inParallel } from './parallel.ts';
import { callsOf, type Entry } from './plan.ts';

export interface WriterOptions {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  /** BatchWriteItem calls in flight at once. */
  readonly concurrency: number;
  readonly now: () => number;
}

/** An entry that was not written. */
export interface Unwritten {
  readonly entry: Entry;
  readonly reason: string;
  readonly retryable: boolean;
}

/** Writes the entries; after the deadline nothing is tried again. Rejects never for a lost database. */
export type Write = (entries: readonly Entry[], deadlineMs: number) => Promise<Unwritten[]>;

export function createWriter({ client, tableName, concurrency, now }: WriterOptions): Write {
  /** Writes one call's entries, and again what came back unprocessed. */
  async function call(entries: readonly Entry[], deadlineMs: number): Promise<Unwritten[]> {
    let left: WriteRequest[] = entries.map(({ item }) => ({ PutRequest: { Item: item } }));
    for (let attempt = 0; ; attempt++) {
      try {
        const { UnprocessedItems } = await client.send(
          new BatchWriteItemCommand({ RequestItems: { [tableName]: left } }),
        );
        left = UnprocessedItems?.[tableName] ?? [];
      } catch (error) {
        if (error instanceof DynamoDBServiceException && error.name === 'ValidationException') {
          return findCulprits(entries, deadlineMs);
        }
        return unwritten(entries, left, error instanceof Error ? error.name : 'unknown error');
      }
      if (left.length === 0) return [];
      // Full jitter: 50 ms doubling to 1.6 s at most, as AWS advises for unprocessed items.
      const waitMs = Math.random() * 50 * 2 ** Math.min(attempt, 5);
      if (now() + waitMs > deadlineMs) return unwritten(entries, left, 'throttled by DynamoDB');
      await delay(waitMs);
    }
  }

  /** DynamoDB refuses a whole call for one bad item: halve the call until the item stands alone. */
  async function findCulprits(entries: readonly Entry[], deadlineMs: number): Promise<Unwritten[]> {
    if (entries.length === 1) {
      const reason = 'DynamoDB does not accept the item';
      return entries.map((entry) => ({ entry, reason, retryable: false }));
    }
    const middle = Math.ceil(entries.length / 2);
    return [
      ...(await call(entries.slice(0, middle), deadlineMs)),
      ...(await call(entries.slice(middle), deadlineMs)),
    ];
  }

  return async (entries, deadlineMs) => {
    const failed: Unwritten[] = [];
    await inParallel(callsOf(entries), concurrency, async (group) => {
      failed.push(...(await call(group, deadlineMs)));
    });
    return failed;
  };
}

/** The entries that `left` still holds. */
function unwritten(
  entries: readonly Entry[],
  left: readonly WriteRequest[],
  reason: string,
): Unwritten[] {
  const keyOf = (item: Item | undefined) => `${item?.['pk']?.S} ${item?.['sk']?.S}`;
  const lost = new Set(left.map((request) => keyOf(request.PutRequest?.Item)));
  return entries
    .filter(({ item }) => lost.has(keyOf(item)))
    .map((entry) => ({ entry, reason, retryable: true }));
}
