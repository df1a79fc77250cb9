// Writes items to the table: BatchWriteItem calls side by side, and exactly what was not written as the result.
import { type DynamoDBClient, DynamoDBServiceException } from '@aws-sdk/client-dynamodb';
import { mapInParallel } from '../../contract/parallel.ts';
import { type PutBatchOptions, putBatch } from '../../table/batch-write.ts';
import type { Item } from '../../table/item.ts';
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
  /** The table took the call, and not this of it: it is busy, and may take it in a moment. */
  readonly isUnprocessed?: boolean;
}

/** How long writing goes on; see {@link PutBatchOptions}. */
export type WriteLimits = Pick<PutBatchOptions, 'deadlineMs' | 'abortSignal'>;

/** Writes the entries; after the deadline nothing is tried again. Rejects never for a lost database. */
export type Write = (entries: readonly Entry[], limits: WriteLimits) => Promise<Unwritten[]>;

export function createWriter({ client, tableName, concurrency, now }: WriterOptions): Write {
  /** Writes one call's entries, and again what came back unprocessed. */
  async function call(entries: readonly Entry[], limits: WriteLimits): Promise<Unwritten[]> {
    const byItem = new Map<Item, Entry>(entries.map((entry) => [entry.item, entry]));
    const { items, error } = await putBatch([...byItem.keys()], {
      client,
      tableName,
      now,
      ...limits,
    });
    if (error instanceof DynamoDBServiceException && error.name === 'ValidationException') {
      return findCulprits(entries, limits);
    }
    const isUnprocessed = error === undefined;
    const reason = isUnprocessed ? 'throttled by DynamoDB' : nameOf(error);
    return items.map((item) => ({
      entry: byItem.get(item) as Entry,
      reason,
      retryable: true,
      isUnprocessed,
    }));
  }

  /** DynamoDB refuses a whole call for one bad item: halve the call until the item stands alone. */
  async function findCulprits(
    entries: readonly Entry[],
    limits: WriteLimits,
  ): Promise<Unwritten[]> {
    if (entries.length === 1) {
      const reason = 'DynamoDB does not accept the item';
      return entries.map((entry) => ({ entry, reason, retryable: false }));
    }
    const middle = Math.ceil(entries.length / 2);
    return [
      ...(await call(entries.slice(0, middle), limits)),
      ...(await call(entries.slice(middle), limits)),
    ];
  }

  return async (entries, limits) => {
    const failed = await mapInParallel(callsOf(entries), concurrency, (group) =>
      call(group, limits),
    );
    return failed.flat();
  };
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : 'unknown error';
}
