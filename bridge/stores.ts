// Where the bridge keeps what has to outlive it: in DynamoDB where its config names a table for that, else in folders.
import { join } from 'node:path';
import type { BridgeConfig } from './config/config.ts';
import { folderDeadLetters } from './dead-letters/dead-letter-store.ts';
import { folderRouteStates } from './routes/route-state-folder.ts';
import { folderStamps } from './session/stamp-folder.ts';
import { folderLedger } from './session-ledger/ledger-folder.ts';
import type { Tables, TablesOptions } from './tables.ts';

/** What there is with tables alone is absent without them. */
export type Stores = Tables &
  Required<Pick<Tables, 'deadLetters' | 'routeStates' | 'sessionLedger' | 'stamps'>>;

export async function openStores(config: BridgeConfig, options: TablesOptions): Promise<Stores> {
  const { quarantineTable, leaseTable, replayTable, commandTable } = config;
  const names = [quarantineTable, leaseTable, replayTable, commandTable];
  const needsTables = names.some((name) => name !== undefined);
  const tables: Tables = needsTables
    ? (await import('./tables.ts')).openTables(config, options)
    : {};
  const { quarantineFolder, deadLetters, broker } = config;
  const folder = (name: string) => join(quarantineFolder, name);
  return {
    ...tables,
    deadLetters: tables.deadLetters ?? folderDeadLetters(quarantineFolder, deadLetters),
    routeStates:
      tables.routeStates ?? folderRouteStates(folder('route-state'), broker.clientIdPrefix),
    sessionLedger:
      tables.sessionLedger ?? folderLedger(folder('session-ledger'), broker.clientIdPrefix),
    stamps: tables.stamps ?? folderStamps(folder('receipt-time')),
  };
}
