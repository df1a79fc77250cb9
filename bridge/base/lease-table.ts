// Leases, and the bridges that hold them, in a DynamoDB table: every write says what it expects to be there.
import {
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import {
  bridgeItem,
  bridgeKey,
  leaseItem,
  leaseKey,
  leasePartition,
  type StoredBridge,
  type StoredLease,
  storedBridgeOf,
  storedLeaseOf,
} from '../../functions/table/bridge-item.ts';
import { conditionHeld } from '../../functions/table/conditional-write.ts';
import type { Item } from '../../functions/table/item.ts';
import { readPartition } from '../../functions/table/partition.ts';
import type { LeaseStore, StoredLeases } from './lease-store.ts';

/** 100 routes of 256 connections, and a few bridges: a query reads 1 MB, which are about 7,000 leases. */
const maxQueries = 10;

export function leaseTable(tableName: string, client: DynamoDBClient): LeaseStore {
  type Key = ReturnType<typeof leaseKey>;

  async function versionOf(key: Key): Promise<string | undefined> {
    const { Item } = await client.send(
      new GetItemCommand({ TableName: tableName, Key: key, ConsistentRead: true }),
    );
    return Item?.['version']?.S;
  }

  /** False where something else is in the way. */
  async function replace(item: Item & Key, expected: readonly string[]): Promise<boolean> {
    const isReplaced = await conditionHeld(
      client.send(
        new PutItemCommand({
          TableName: tableName,
          Item: item,
          ...(expected.length === 0
            ? { ConditionExpression: 'attribute_not_exists(pk)' }
            : isOneOf(expected)),
        }),
      ),
    );
    // The SDK repeats a call whose answer was lost: the version that is in the way may be this very one.
    return isReplaced || (await versionOf({ pk: item.pk, sk: item.sk })) === item['version']?.S;
  }

  /** False where it had another version, or was not there. */
  function remove(key: Key, versions: readonly string[]): Promise<boolean> {
    return conditionHeld(
      client.send(new DeleteItemCommand({ TableName: tableName, Key: key, ...isOneOf(versions) })),
    );
  }

  return {
    async read(): Promise<StoredLeases> {
      const bridges: StoredBridge[] = [];
      const leases: StoredLease[] = [];
      // Not consistent, which is half of the price: what is done about it is conditional.
      const range = { low: ' ', high: '\uffff', newestFirst: false };
      for await (const { item } of readPartition({ client, tableName }, leasePartition, range, {
        maxQueries,
      })) {
        if (item === undefined) continue;
        const bridge = storedBridgeOf(item);
        if (bridge === undefined) leases.push(storedLeaseOf(item));
        else bridges.push(bridge);
      }
      return { bridges, leases };
    },
    hasBridge: async (id) => (await versionOf(bridgeKey(id))) !== undefined,
    putBridge: (bridge, expected) =>
      replace({ ...bridgeItem(bridge), ...bridgeKey(bridge.id) }, expected),
    removeBridge: (id, versions) => remove(bridgeKey(id), versions),
    putLease: (lease, expected) =>
      replace(
        { ...leaseItem(lease), ...leaseKey(lease.name) },
        expected === undefined ? [] : [expected],
      ),
    async removeLease({ name, version }) {
      await remove(leaseKey(name), [version]);
    },
  };
}

/** The condition that an item has one of these versions. */
function isOneOf(versions: readonly string[]) {
  const names = versions.map((_, index) => `:version${index}`);
  return {
    ConditionExpression: `version IN (${names.join(', ')})`,
    ExpressionAttributeValues: Object.fromEntries(
      versions.map((version, index) => [`:version${index}`, { S: version }]),
    ),
  };
}
