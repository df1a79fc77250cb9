// Reads a partition of the table in the order of its sort keys, page by page; and several partitions as if they were one.
import { type AttributeValue, type DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import type { Item } from './item.ts';

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
  /** Queries that are sent at most. */
  readonly mostQueries: number;
  /** Items that are looked at at most; default no limit. */
  readonly mostItems?: number;
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

/** How far reading has come: all up to this sort key has been seen, and this item was met there, or none. */
export interface Step {
  readonly key: string;
  readonly item?: Item;
}

/** Steps in order. Returns true at the end of the range, false where it had to stop before; it makes a step at least. */
export type Steps = AsyncGenerator<Step, boolean>;

/** Reads one partition. */
export async function* readPartition(
  { client, tableName }: ItemSource,
  partition: string,
  range: SortKeyRange,
  options: ReadOptions,
): Steps {
  const { mostQueries, mostItems = Number.POSITIVE_INFINITY, filter, names, attributes } = options;
  const { newestFirst, after } = range;
  // A BETWEEN includes its ends, so `after` is met again and passed over.
  const low = newestFirst ? range.low : (after ?? range.low);
  const high = newestFirst ? (after ?? range.high) : range.high;
  if (compareSortKeys(low, high) > 0) return true;
  let left = mostItems;
  let next: Item | undefined;
  for (let queries = 0; queries < mostQueries && left > 0; queries++) {
    const repeated = after === undefined ? 0 : 1;
    const first = (options.firstItems ?? left) + repeated;
    const wanted = queries === 0 ? Math.min(left, first) : left;
    const { Items, ScannedCount, LastEvaluatedKey } = await client.send(
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
        ...(Number.isFinite(wanted) && { Limit: wanted }),
        ...(next !== undefined && { ExclusiveStartKey: next }),
      }),
    );
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
): Promise<Item[]> {
  const chunks: Item[] = [];
  const steps = readPartition(source, partition, chunkRange, {
    // A query reads at most 1 MB, which is two or three chunks.
    mostQueries: count,
    mostItems: count,
    // The item may be a moment old, and its chunks not on every replica yet.
    consistent: true,
  });
  for await (const { item } of steps) if (item !== undefined) chunks.push(item);
  return chunks;
}

/** Chunks are numbered. */
const chunkRange = { low: '0', high: '9', newestFirst: false };

/**
 * The steps of several readers, each of one order, in that order. What has the same sort key in two of them is one
 * item. Stops where one of them had to stop: what it did not read would come next.
 */
export async function* mergeSteps(readers: readonly Steps[], newestFirst: boolean): Steps {
  const [only] = readers;
  if (only !== undefined && readers.length === 1) return yield* only;
  const heads = new Map<Steps, Step>();
  const advance = async (reader: Steps): Promise<boolean> => {
    const { done, value } = await reader.next();
    if (done === true) heads.delete(reader);
    else heads.set(reader, value);
    return done !== true || value;
  };
  const goesOn = await Promise.all(readers.map(advance));
  if (goesOn.includes(false)) return false;
  let last: Step | undefined;
  while (heads.size > 0) {
    const [reader, step] = [...heads].reduce((a, b) => (isBefore(b[1], a[1], newestFirst) ? b : a));
    if (step.key !== last?.key || last.item === undefined) {
      yield step;
      last = step;
    }
    if (!(await advance(reader))) return false;
  }
  return true;
}

/** At the same key an item goes before the mere end of a query, behind which nobody would look for it. */
function isBefore(a: Step, b: Step, newestFirst: boolean): boolean {
  const order = compareSortKeys(a.key, b.key);
  if (order === 0) return a.item !== undefined && b.item === undefined;
  return newestFirst ? order > 0 : order < 0;
}

/** The steps of several readers, one after the other, for ranges that follow each other. */
export async function* concatSteps(readers: readonly Steps[]): Steps {
  for (const reader of readers) {
    const complete = yield* reader;
    if (!complete) return false;
  }
  return true;
}

/** Orders sort keys as DynamoDB does, by their bytes in UTF-8; JavaScript's own order differs beyond U+FFFF. */
export function compareSortKeys(a: string, b: string): number {
  return a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** TTL deletes within days, not at once: what has expired by `nowMs` must not be seen meanwhile. */
export function unexpired(nowMs: number): NonNullable<ReadOptions['filter']> {
  return {
    expression: 'expiresAt > :now',
    values: { ':now': { N: String(Math.floor(nowMs / 1000)) } },
  };
}
