// Items by their keys: BatchGetItem calls, one after the other, and what DynamoDB leaves unprocessed of them again.
import { BatchGetItemCommand, type KeysAndAttributes } from '@aws-sdk/client-dynamodb';
import type { Item } from './item.ts';
import type { ItemSource } from './partition.ts';
import { bookedBy, type ReadBudget } from './read-budget.ts';

/** BatchGetItem takes 100 keys. */
const maxGets = 100;

/** Attributes to read; default all. */
export type Projection = Pick<
  KeysAndAttributes,
  'ProjectionExpression' | 'ExpressionAttributeNames'
>;

/** The items of `keys`, no two alike, that there are, in no order; read strongly consistent by default, and booked. Rejects when throttled. */
export async function getBatch(
  { client, tableName }: ItemSource,
  keys: readonly Item[],
  projection: Projection = {},
  budget?: ReadBudget,
  consistent = true,
): Promise<Item[]> {
  const found: Item[] = [];
  let left: readonly Item[] = keys;
  while (left.length > 0) {
    const Keys = left.slice(0, maxGets);
    const { Responses, UnprocessedKeys, ConsumedCapacity } = await client.send(
      new BatchGetItemCommand({
        RequestItems: { [tableName]: { Keys, ConsistentRead: consistent, ...projection } },
        ...bookedBy(budget),
      }),
    );
    budget?.book(ConsumedCapacity?.[0]?.CapacityUnits ?? 0);
    const items = Responses?.[tableName] ?? [];
    const unprocessed = UnprocessedKeys?.[tableName]?.Keys ?? [];
    // More than 16 MB come in several answers; an answer with nothing in it is throttling.
    if (items.length === 0 && unprocessed.length > 0) throw new Error('the table is throttled');
    found.push(...items);
    left = [...unprocessed, ...left.slice(maxGets)];
  }
  return found;
}
