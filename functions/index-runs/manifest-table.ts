// The manifest in the table: read, and replaced on condition that nobody else has replaced it.
import { GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { conditionHeld } from '../table/conditional-write.ts';
import type { ItemSource } from '../table/partition.ts';
import { bookedBy, type ReadBudget } from '../table/read-budget.ts';
import { type Manifest, manifestItem, manifestKey, manifestOf } from './manifest.ts';

export interface ManifestRead {
  /** Whether what was written a moment ago must be seen. Default false: an older manifest is as true, its tail is longer. */
  readonly consistent?: boolean;
  readonly budget?: ReadBudget | undefined;
}

export async function readManifest(
  { client, tableName }: ItemSource,
  { consistent = false, budget }: ManifestRead = {},
): Promise<Manifest> {
  const { Item, ConsumedCapacity } = await client.send(
    new GetItemCommand({
      TableName: tableName,
      Key: manifestKey,
      ConsistentRead: consistent,
      ...bookedBy(budget),
    }),
  );
  budget?.book(ConsumedCapacity?.CapacityUnits ?? 0);
  return manifestOf(Item);
}

/** Writes a manifest in place of the one before it; resolves with whether that still stood there. */
export async function replaceManifest(
  { client, tableName }: ItemSource,
  manifest: Manifest,
): Promise<boolean> {
  const before = manifest.version - 1;
  // Where the answer to a first try was lost it may be this very one that stands there: who reads it again goes on from it.
  return conditionHeld(
    client.send(
      new PutItemCommand({
        TableName: tableName,
        Item: manifestItem(manifest),
        ...(before === 0
          ? { ConditionExpression: 'attribute_not_exists(pk)' }
          : {
              ConditionExpression: 'version = :before',
              ExpressionAttributeValues: { ':before': { N: String(before) } },
            }),
      }),
    ),
  );
}
