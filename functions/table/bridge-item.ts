// The bridges of a deployment and their leases, as items of the table. Each bridge keeps one item by which the others see
// that it lives, and a lease says which bridge holds a session. The api finds a bridge by its item.
import { type Item, textAt } from './item.ts';

/** Partition of both, so that one query reads them together. */
export const leasePartition = 'lease';

/** No lease has a slash in its name. */
const bridgePrefix = 'bridge/';

/** The sort keys of bridges. */
export const bridgeRange = { low: bridgePrefix, high: 'bridge0' } as const;

/** Where the api reaches a bridge. */
export interface BridgeAddress {
  readonly url: string;
  /** What it asks for; made by the bridge at its start, and worthless once it has ended. */
  readonly token: string;
}

export interface StoredBridge {
  readonly id: string;
  /** Another one with every renewal. */
  readonly version: string;
  /** Without renewal for so long it is dead. */
  readonly leaseMs: number;
  /** When it started, by its own clock: RFC 3339. */
  readonly startedAt: string;
  /** Absent where it has no address that the api could use. */
  readonly address?: BridgeAddress | undefined;
  /** Bridges of one group share their leases evenly; absent in those that share none. */
  readonly group?: string | undefined;
}

export interface StoredLease {
  readonly name: string;
  /** Another one with every holder, and every time that it is taken. */
  readonly version: string;
  /** The bridge that holds it; absent in leases that are renewed by themselves, as older bridges do it. */
  readonly holder?: string | undefined;
}

export function bridgeKey(id: string): { pk: { S: string }; sk: { S: string } } {
  return { pk: { S: leasePartition }, sk: { S: `${bridgePrefix}${id}` } };
}

export function leaseKey(name: string): { pk: { S: string }; sk: { S: string } } {
  return { pk: { S: leasePartition }, sk: { S: name } };
}

export function bridgeItem(bridge: StoredBridge): Item {
  const { id, version, leaseMs, startedAt, address, group } = bridge;
  return {
    ...bridgeKey(id),
    version: { S: version },
    leaseMs: { N: String(leaseMs) },
    startedAt: { S: startedAt },
    ...(address !== undefined && { url: { S: address.url }, token: { S: address.token } }),
    ...(group !== undefined && { group: { S: group } }),
  };
}

export function leaseItem({ name, version, holder }: StoredLease): Item {
  return {
    ...leaseKey(name),
    version: { S: version },
    ...(holder !== undefined && { holder: { S: holder } }),
  };
}

/** The bridge that an item stands for; undefined for one of a lease. */
export function storedBridgeOf(item: Item): StoredBridge | undefined {
  const key = textAt(item, 'sk');
  if (!key.startsWith(bridgePrefix)) return undefined;
  const { url, token } = item;
  const id = key.slice(bridgePrefix.length);
  const address =
    url?.S === undefined || token?.S === undefined ? undefined : { url: url.S, token: token.S };
  return {
    id,
    version: textAt(item, 'version'),
    leaseMs: Number(item['leaseMs']?.N),
    startedAt: textAt(item, 'startedAt'),
    address,
    group: item['group']?.S,
  };
}

export function storedLeaseOf(item: Item): StoredLease {
  return {
    name: textAt(item, 'sk'),
    version: textAt(item, 'version'),
    holder: item['holder']?.S,
  };
}
