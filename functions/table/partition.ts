// Reads a partition of the table in the order of its sort keys, page by page.
import { type AttributeValue, type DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import type { Item } from './item.ts';
import { bookedBy, type ReadBudget } from './read-budget.ts';
import { compareSortKeys } from './sort-keys.ts';
import type { Steps } from './steps.ts';

export interface ItemSource {
  readonly client: DynamoDBClient;
  readonly tableName: string;
}

/** Which sort keys are read, and in which order. */
export interface SortKeyRange {
  /** First sort key, included. */
  readonly low: string;
  /** Last sort key, included. */
  readonly high: string;
  readonly newestFirst: boolean;
  /** Reading goes on behind this sort key, whether an item has it or not. */
  readonly after?: string | undefined;
}

export interface ReadOptions {
  /** Booked with every query; reading stops where it is spent. Default no limit. */
  readonly budget?: ReadBudget | undefined;
  /** Queries that are sent at most. */
  readonly maxQueries: number;
  /** Items that are looked at at most; default no limit. */
  readonly maxItems?: number;
  /** Items that the first query looks at; default as many as 1 MB holds, which is all that a query reads. */
  readonly firstItems?: number;
  readonly filter?: {
    readonly expression: string;
    readonly values: Record<string, AttributeValue>;
  };
  /** What the `#names` in filter and attributes stand for. */
  readonly names?: Record<string, string>;
  /** Attributes to read, as a ProjectionExpression with `sk` in it; default all. */
  readonly attributes?: string;
  readonly consistent?: boolean;
}

/** Reads one partition. */
export async function* readPartition(
  { client, tableName }: ItemSource,
  partition: string,
  range: SortKeyRange,
  options: ReadOptions,
): Steps {
  const { maxQueries, maxItems = Number.POSITIVE_INFINITY, filter, names } = options;
  const { attributes, budget } = options;
  const { newestFirst, after } = range;
  // A BETWEEN includes its ends, so `after` is met again and passed over.
  const low = newestFirst ? range.low : (after ?? range.low);
  const high = newestFirst ? (after ?? range.high) : range.high;
  if (compareSortKeys(low, high) > 0) return true;
  let left = maxItems;
  let next: Item | undefined;
  for (let queries = 0; queries < maxQueries && left > 0; queries++) {
    if ((await budget?.mayRead()) === false) return false;
    const repeated = after === undefined ? 0 : 1;
    const first = (options.firstItems ?? left) + repeated;
    const wanted = queries === 0 ? Math.min(left, first) : left;
    const { Items, ScannedCount, LastEvaluatedKey, ConsumedCapacity } = await client.send(
      new QueryCommand({
        TableName: tableName,
        KeyConditionExpression: 'pk = :pk AND sk BETWEEN :low AND :high',
        ExpressionAttributeValues: {
          ':pk': { S: partition },
          ':low': { S: low },
          ':high': { S: high },
          ...filter?.values,
        },
        ...(filter !== undefined && { FilterExpression: filter.expression }),
        ...(names !== undefined && { ExpressionAttributeNames: names }),
        ...(attributes !== undefined && { ProjectionExpression: attributes }),
        ScanIndexForward: !newestFirst,
        ConsistentRead: options.consistent ?? false,
        ...bookedBy(budget),
        ...(Number.isFinite(wanted) && { Limit: wanted }),
        ...(next !== undefined && { ExclusiveStartKey: next }),
      }),
    );
    budget?.book(ConsumedCapacity?.CapacityUnits ?? 0);
    let reached: string | undefined;
    for (const item of Items ?? []) {
      const key = item['sk']?.S ?? '';
      if (key === after) continue;
      reached = key;
      yield { key, item };
    }
    next = LastEvaluatedKey;
    if (next === undefined) return true;
    const end = next['sk']?.S ?? '';
    if (end !== reached && end !== after) yield { key: end };
    left -= ScannedCount ?? left;
  }
  return false;
}

/** The first `count` chunks of a partition, or as many as there are. */
export async function readChunks(
  source: ItemSource,
  partition: string,
  count: number,
  budget?: ReadBudget,
): Promise<Item[]> {
  const chunks: Item[] = [];
  const steps = readPartition(source, partition, chunkRange, {
    // A query reads at most 1 MB, which is two or three chunks.
    maxQueries: count,
    maxItems: count,
    // The item may be a moment old, and its chunks not on every replica yet.
    consistent: true,
    budget: budget?.unbounded(),
  });
  for await (const { item } of steps) if (item !== undefined) chunks.push(item);
  return chunks;
}

/** Chunks are numbered. */
const chunkRange = { low: '0', high: '9', newestFirst: false };

/** TTL deletes within days, not at once: what has expired by `nowMs` must not be seen meanwhile. */
export function unexpired(nowMs: number): NonNullable<ReadOptions['filter']> {
  return {
    expression: 'expiresAt > :now',
    values: { ':now': { N: String(Math.floor(nowMs / 1000)) } },
  };
}
