// The calls that write: PutItem, UpdateItem, DeleteItem and BatchWriteItem.
import type {
  BatchWriteItemCommandInput,
  DeleteItemCommandInput,
  PutItemCommandInput,
  UpdateItemCommandInput,
  WriteRequest,
} from '@aws-sdk/client-dynamodb';
import { bindExpressions } from './expressions/bind.ts';
import type { Test } from './expressions/condition.ts';
import { decodeItem } from './item-codec.ts';
import { deletionOf, type Items, type NextState, stateOf } from './items.ts';
import { givenKey, itemKey } from './keys.ts';
import type { Table, Tables } from './tables.ts';
import type { Item } from './values/attribute-values.ts';
import { conditionFailed, refusal } from './values/errors.ts';

const maxBatchWrites = 25;

export class Writes {
  readonly #tables: Tables;
  readonly #items: Items;

  constructor(tables: Tables, items: Items) {
    this.#tables = tables;
    this.#items = items;
  }

  async put(call: PutItemCommandInput): Promise<{ Attributes?: Item }> {
    const table = this.#tables.get(call.TableName);
    const { condition } = bindExpressions(call, table);
    const state = putOf(table, call.Item);
    const wantsOld = wantsOldItem(call);
    const before = condition !== undefined || wantsOld ? this.#items.latest(state.key) : undefined;
    if (!holds(condition, before)) throw await this.#failure(state.key, before, call);
    await this.#items.write([state]);
    return wantsOld && before !== undefined ? { Attributes: before } : {};
  }

  async update(call: UpdateItemCommandInput): Promise<{ Attributes?: Item }> {
    const table = this.#tables.get(call.TableName);
    const { condition, change } = bindExpressions(call, table);
    const { ReturnValues: wanted = 'NONE', Key = {} } = call;
    if (!['NONE', 'ALL_OLD', 'ALL_NEW'].includes(wanted))
      throw refusal(`ReturnValues: ${wanted} is not supported by the embedded table`);
    const key = givenKey(table.name, table, Key);
    const before = this.#items.latest(key);
    if (!holds(condition, before)) throw await this.#failure(key, before, call);
    const after = stateOf(table, key, change?.(before ?? Key) ?? before ?? Key);
    await this.#items.write([after]);
    if (wanted === 'ALL_NEW' && after.bytes) return { Attributes: decodeItem(after.bytes) };
    return wanted === 'ALL_OLD' && before !== undefined ? { Attributes: before } : {};
  }

  async delete(call: DeleteItemCommandInput): Promise<{ Attributes?: Item }> {
    const table = this.#tables.get(call.TableName);
    const { condition } = bindExpressions(call, table);
    const key = givenKey(table.name, table, call.Key);
    const wantsOld = wantsOldItem(call);
    const before = condition !== undefined || wantsOld ? this.#items.latest(key) : undefined;
    if (!holds(condition, before)) throw await this.#failure(key, before, call);
    await this.#items.write([deletionOf(table, key)]);
    return wantsOld && before !== undefined ? { Attributes: before } : {};
  }

  async batchWrite({ RequestItems = {} }: BatchWriteItemCommandInput) {
    const states: NextState[] = [];
    for (const [tableName, requests] of Object.entries(RequestItems)) {
      const table = this.#tables.get(tableName);
      for (const request of requests) states.push(requestedState(table, request));
    }
    if (states.length === 0 || states.length > maxBatchWrites)
      throw refusal(`BatchWriteItem takes 1 to ${maxBatchWrites} requests, not ${states.length}`);
    if (new Set(states.map(({ name }) => name)).size < states.length)
      throw refusal('Provided list of item keys contains duplicates');
    await this.#items.write(states);
    return { UnprocessedItems: {} };
  }

  /** What to throw where the condition does not hold of the item of before, once that is on disk. */
  async #failure(
    key: Buffer,
    before: Item | undefined,
    { ReturnValuesOnConditionCheckFailure: returned }: Conditional,
  ): Promise<Error> {
    await this.#items.landed(key);
    return conditionFailed(returned === 'ALL_OLD' ? before : undefined);
  }
}

function requestedState(table: Table, { PutRequest, DeleteRequest }: WriteRequest): NextState {
  if (PutRequest !== undefined) return putOf(table, PutRequest.Item);
  return deletionOf(table, givenKey(table.name, table, DeleteRequest?.Key));
}

function putOf(table: Table, item: Item = {}): NextState {
  return stateOf(table, itemKey(table.name, table, item), item);
}

type Conditional = Pick<PutItemCommandInput, 'ReturnValuesOnConditionCheckFailure'>;

/** Whether a put or a delete is to give the item of before. Throws where it is to give something else. */
function wantsOldItem({
  ReturnValues: wanted = 'NONE',
}: Pick<PutItemCommandInput, 'ReturnValues'>) {
  if (wanted !== 'NONE' && wanted !== 'ALL_OLD')
    throw refusal('ReturnValues can only be ALL_OLD or NONE');
  return wanted === 'ALL_OLD';
}

function holds(condition: Test | undefined, before: Item | undefined): boolean {
  return condition === undefined || condition(before ?? {});
}
