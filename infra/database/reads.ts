// The calls that read: GetItem, BatchGetItem, Query and Scan. What they read is on disk: never a write under way.
import type {
  BatchGetItemCommandInput,
  ConsumedCapacity,
  GetItemCommandInput,
  KeysAndAttributes,
  QueryCommandInput,
  ScanCommandInput,
} from '@aws-sdk/client-dynamodb';
import type { LevelStore } from '../level/level-store.ts';
import { type BoundExpressions, bindExpressions } from './expressions/bind.ts';
import { decodeItem } from './item-codec.ts';
import type { Items } from './items.ts';
import { givenKey, itemsOf, type KeySpan, keyAfter, keyName, partitionSpan } from './keys.ts';
import type { Table, Tables } from './tables.ts';
import { type Item, itemBytes } from './values/attribute-values.ts';
import { refusal } from './values/errors.ts';

const maxBatchGets = 100;
const maxBatchBytes = 16 * 1024 * 1024;
/** A query or scan reads so much, and says where it stopped. */
const maxPageBytes = 1024 * 1024;
/** Entries that are fetched from the disk in one step. */
const entriesAtOnce = 100;

export class Reads {
  readonly #store: LevelStore<Buffer>;
  readonly #tables: Tables;
  readonly #items: Items;

  constructor(store: LevelStore<Buffer>, tables: Tables, items: Items) {
    this.#store = store;
    this.#tables = tables;
    this.#items = items;
  }

  get(call: GetItemCommandInput): { Item?: Item; ConsumedCapacity?: ConsumedCapacity } {
    const table = this.#tables.get(call.TableName);
    const { project } = bindExpressions(call, table);
    const item = this.#items.stored(givenKey(table.name, table, call.Key));
    const consumed = consumedBy(call, item === undefined ? 0 : itemBytes(item));
    return item === undefined ? consumed : { Item: project?.(item) ?? item, ...consumed };
  }

  batchGet({ RequestItems = {}, ReturnConsumedCapacity = 'NONE' }: BatchGetItemCommandInput) {
    const ConsumedCapacity: ConsumedCapacity[] = [];
    const Responses: Record<string, Item[]> = {};
    const UnprocessedKeys: Record<string, KeysAndAttributes> = {};
    let count = 0;
    let bytes = 0;
    for (const [tableName, request] of Object.entries(RequestItems)) {
      const table = this.#tables.get(tableName);
      const { project } = bindExpressions(request, table);
      const { Keys = [] } = request;
      const keys = Keys.map((key) => givenKey(table.name, table, key));
      count += keys.length;
      if (new Set(keys.map(keyName)).size < keys.length)
        throw refusal('Provided list of item keys contains duplicates');
      if (count > maxBatchGets) throw refusal(`BatchGetItem takes 1 to ${maxBatchGets} keys`);
      const found: Item[] = [];
      let units = 0;
      for (const [at, key] of keys.entries()) {
        const item = this.#items.stored(key);
        const size = item === undefined ? 0 : itemBytes(item);
        bytes += size;
        units += readUnits(size, request.ConsistentRead);
        if (bytes > maxBatchBytes) {
          UnprocessedKeys[tableName] = { ...request, Keys: Keys.slice(at) };
          break;
        }
        if (item !== undefined) found.push(project?.(item) ?? item);
      }
      Responses[tableName] = found;
      ConsumedCapacity.push({ TableName: tableName, CapacityUnits: units });
    }
    if (count === 0) throw refusal(`BatchGetItem takes 1 to ${maxBatchGets} keys`);
    const consumed = ReturnConsumedCapacity === 'NONE' ? {} : { ConsumedCapacity };
    return { Responses, UnprocessedKeys, ...consumed };
  }

  query(call: QueryCommandInput) {
    const table = this.#tables.get(call.TableName);
    const bound = bindExpressions(call, table);
    if (bound.range === undefined) throw refusal('Query needs a KeyConditionExpression');
    const { partition, ...range } = bound.range;
    const span = partitionSpan(table.name, partition, range);
    return this.#page(table, span, bound, call, call.ScanIndexForward === false);
  }

  scan(call: ScanCommandInput) {
    const table = this.#tables.get(call.TableName);
    return this.#page(table, itemsOf(table.name), bindExpressions(call, table), call, false);
  }

  async #page(
    table: Table,
    span: KeySpan,
    { filter, project }: BoundExpressions,
    call: QueryCommandInput | ScanCommandInput,
    reverse: boolean,
  ) {
    const { ExclusiveStartKey, Limit = Number.POSITIVE_INFINITY, Select } = call;
    if (Limit < 1) throw refusal('Limit must be at least 1');
    if (Select !== undefined && Select !== 'COUNT' && Select !== 'ALL_ATTRIBUTES')
      throw refusal(`Select: ${Select} is not supported by the embedded table`);
    const rest =
      ExclusiveStartKey === undefined
        ? span
        : restOf(span, givenKey(table.name, table, ExclusiveStartKey), reverse);
    const Items: Item[] = [];
    let Count = 0;
    let ScannedCount = 0;
    let bytes = 0;
    let last: Item | undefined;
    const step = Math.min(entriesAtOnce, Limit);
    reading: for await (const entries of this.#store.pages({ ...rest, reverse }, step)) {
      for (const [, value] of entries) {
        const item = decodeItem(value);
        ScannedCount++;
        bytes += itemBytes(item);
        if (filter === undefined || filter(item)) {
          Count++;
          if (Select !== 'COUNT') Items.push(project?.(item) ?? item);
        }
        if (ScannedCount >= Limit || bytes >= maxPageBytes) {
          last = item;
          break reading;
        }
      }
    }
    return {
      ...(Select !== 'COUNT' && { Items }),
      Count,
      ScannedCount,
      ...(last !== undefined && { LastEvaluatedKey: keyOf(table, last) }),
      ...consumedBy(call, bytes),
    };
  }
}

const readUnitBytes = 4096;

/** What DynamoDB would charge for reading so much. */
function readUnits(bytes: number, isConsistent: boolean | undefined): number {
  const units = Math.max(1, Math.ceil(bytes / readUnitBytes));
  return isConsistent ? units : units / 2;
}

/** The charge, where the call wants to know it: a caller's allowance is made of it. */
function consumedBy(
  call: Pick<GetItemCommandInput, 'TableName' | 'ConsistentRead' | 'ReturnConsumedCapacity'>,
  bytes: number,
): { ConsumedCapacity?: ConsumedCapacity } {
  const { TableName, ConsistentRead, ReturnConsumedCapacity: wanted = 'NONE' } = call;
  if (wanted === 'NONE') return {};
  return { ConsumedCapacity: { TableName, CapacityUnits: readUnits(bytes, ConsistentRead) } };
}

/** What lies behind the key at which a page before ended. */
function restOf({ gte, lt }: KeySpan, key: Buffer, reverse: boolean): KeySpan {
  if (key.compare(gte) < 0 && reverse) return { gte, lt: gte };
  if (reverse) return { gte, lt: key.compare(lt) < 0 ? key : lt };
  const after = keyAfter(key);
  return { gte: after.compare(gte) > 0 ? after : gte, lt };
}

function keyOf({ partitionKey, sortKey }: Table, item: Item): Item {
  const [partition, sort] = [item[partitionKey], item[sortKey]];
  return { ...(partition && { [partitionKey]: partition }), ...(sort && { [sortKey]: sort }) };
}
