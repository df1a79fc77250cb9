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

/** Who pays for what a request reads. */
export interface ReadPayer {
  book(units: number): void;
  /** Whether the payer has paid for all that is booked, and may go on. */
  mayRead(): Promise<boolean>;
  /** Whether so many bytes more may be held until the request is answered. Default true. */
  mayHold?(bytes: number): boolean;
}

/** Read units of one request: how many it may use, and how many it has used. */
export class ReadBudget {
  #spent = 0;
  readonly #maxUnits: number;
  readonly #payer: ReadPayer | undefined;

  constructor(maxUnits = Number.POSITIVE_INFINITY, payer?: ReadPayer) {
    this.#maxUnits = maxUnits;
    this.#payer = payer;
  }

  /** Read units used so far: one for 4 KB that are read, half of one where the reading need not be consistent. */
  get spent(): number {
    return this.#spent;
  }

  /**
   * Asked before each query but a request's first, so that every page makes a step: whether more may be read. The
   * last query may go beyond, by what one query reads: 1 MB.
   */
  async mayRead(): Promise<boolean> {
    if (this.#spent === 0) return true;
    return this.#spent < this.#maxUnits && (await this.isPaid());
  }

  /** Whether what has been read is paid; asked alone where the page is bounded otherwise, by its bytes. */
  async isPaid(): Promise<boolean> {
    return (await this.#payer?.mayRead()) !== false;
  }

  book(units: number): void {
    this.#spent += units;
    this.#payer?.book(units);
  }

  /** Asked for what a request keeps in memory that is not a part of its answer, and may be much. */
  mayHold(bytes: number): boolean {
    return this.#payer?.mayHold?.(bytes) !== false;
  }

  /** For what is bounded otherwise, and has to be read whole: booked here too, but no reason to stop. */
  unbounded(): ReadBudget {
    return new ReadBudget(Number.POSITIVE_INFINITY, {
      book: (units) => this.book(units),
      mayRead: async () => true,
      mayHold: (bytes) => this.mayHold(bytes),
    });
  }
}

/** What a call has to ask for, so that what it takes can be booked. */
export function bookedBy(budget: ReadBudget | undefined): { ReturnConsumedCapacity?: 'TOTAL' } {
  return budget === undefined ? {} : { ReturnConsumedCapacity: 'TOTAL' };
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

/** A range that is read in its turn, and its last key. */
export interface Part {
  readonly steps: Steps;
  readonly end: string;
}

/**
 * The steps of several readers, one after the other, for ranges that follow each other. Where one has to stop before
 * its first step, the end of the range before it is a step: so reading goes on from there.
 */
export async function* concatSteps(parts: readonly Part[]): Steps {
  let ended: string | undefined;
  for (const { steps, end } of parts) {
    for (;;) {
      const { done, value } = await steps.next();
      if (done !== true) {
        ended = undefined;
        yield value;
      } else if (value) {
        ended = end;
        break;
      } else {
        if (ended !== undefined) yield { key: ended };
        return false;
      }
    }
  }
  return true;
}

/** Orders sort keys as DynamoDB does, by their bytes in UTF-8; JavaScript's own order differs beyond U+FFFF. */
export function compareSortKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const [one, other] = [a.charCodeAt(index), b.charCodeAt(index)];
    if (one !== other) return rankOf(one) - rankOf(other);
  }
  return a.length - b.length;
}

/** UTF-16 units in the order of UTF-8: surrogates, which stand for what is beyond U+FFFF, behind all others. */
function rankOf(unit: number): number {
  return unit >= 0xd800 && unit < 0xe000 ? unit + 0x1_0000 : unit;
}

/** TTL deletes within days, not at once: what has expired by `nowMs` must not be seen meanwhile. */
export function unexpired(nowMs: number): NonNullable<ReadOptions['filter']> {
  return {
    expression: 'expiresAt > :now',
    values: { ':now': { N: String(Math.floor(nowMs / 1000)) } },
  };
}
