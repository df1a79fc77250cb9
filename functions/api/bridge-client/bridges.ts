// Which bridges run, and which one is asked first: the one that is known, or those whose items are in the table.
import type { BridgeAddress } from '../../table/bridge-item.ts';
import { bridgeRange, leasePartition, storedBridgeOf } from '../../table/bridge-item.ts';
import { type ItemSource, readPartition } from '../../table/partition.ts';

export type { BridgeAddress };

export interface Bridges {
  /** In the order in which to ask. Rejects where that cannot be known. */
  list(): Promise<readonly BridgeAddress[]>;
  /** It has answered: it is asked first, next time. */
  answered(address: BridgeAddress): void;
  /** It is not there, or has nothing to say: who runs is looked up again, next time. */
  failed(address: BridgeAddress): void;
}

/** One that is always at the same place. */
export function oneBridge(address: BridgeAddress): Bridges {
  return { list: async () => [address], answered: () => {}, failed: () => {} };
}

/** For so long they are not looked up again: a look takes half a read unit, and 5 ms of a caller's time. */
const knownMs = 10_000;
/** A deployment runs 16 at most, and for a moment their successors. */
const maxBridges = 32;

/** Those that have said in the table where they are; the newest first, until one has answered. */
export function bridgesInTable(source: ItemSource, now: () => number = Date.now): Bridges {
  let known: { readonly addresses: readonly BridgeAddress[]; readonly atMs: number } | undefined;
  let first: string | undefined;

  async function read(): Promise<BridgeAddress[]> {
    const found: { readonly startedAt: string; readonly address: BridgeAddress }[] = [];
    const range = { ...bridgeRange, newestFirst: false };
    for await (const { item } of readPartition(source, leasePartition, range, { maxQueries: 1 })) {
      const { startedAt = '', address } = (item && storedBridgeOf(item)) ?? {};
      if (address !== undefined) found.push({ startedAt, address });
    }
    found.sort((a, b) => (a.startedAt < b.startedAt ? 1 : -1));
    return found.slice(0, maxBridges).map(({ address }) => address);
  }

  return {
    async list() {
      // A function sleeps between its requests, and its clock may be set meanwhile.
      if (known === undefined || Math.abs(now() - known.atMs) > knownMs)
        known = { addresses: await read(), atMs: now() };
      const { addresses } = known;
      // One that starts is not to be waited for.
      if (addresses.length === 0) known = undefined;
      return [...addresses].sort((a, b) => Number(b.url === first) - Number(a.url === first));
    },
    answered({ url }) {
      first = url;
    },
    failed({ url }) {
      if (first === url) first = undefined;
      known = undefined;
    },
  };
}
