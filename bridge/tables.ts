// What the bridge keeps in DynamoDB: rejected messages, leases, and the ledger of commands. Loaded only where a table
// is configured, because the AWS SDK takes 20 MB of memory that a bridge without one need not spend.
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { createLedger, type Ledger } from './commands/ledger.ts';
import type { BridgeConfig } from './config.ts';
import { acquireLease } from './lease.ts';
import type { Acquire } from './member.ts';
import type { Quarantine } from './quarantine.ts';
import { findInTable, tableQuarantine } from './quarantine-table.ts';
import type { FindLetter } from './replay.ts';

export type { DynamoDBClient };

export interface Tables {
  readonly quarantine?: Quarantine;
  readonly findLetter?: FindLetter;
  readonly acquire?: Acquire;
  readonly ledger?: Ledger;
}

/** Time for one attempt of a call, of which the SDK makes three; without it one that hangs would never end. */
const requestTimeoutMs = 5000;

function createClient(): DynamoDBClient {
  return new DynamoDBClient({
    requestHandler: {
      connectionTimeout: requestTimeoutMs,
      requestTimeout: requestTimeoutMs,
      throwOnRequestTimeout: true,
    },
  });
}

/** `client` is by default that of the SDK's own environment variables. */
export function openTables(
  { quarantineTable, leaseTable, leaseSeconds, commandTable }: BridgeConfig,
  client = createClient(),
): Tables {
  return {
    ...(quarantineTable !== undefined && {
      quarantine: tableQuarantine(quarantineTable, client),
      findLetter: findInTable(quarantineTable, client),
    }),
    ...(leaseTable !== undefined && {
      acquire: (clientId, log, signal) =>
        acquireLease({
          client,
          tableName: leaseTable,
          leaseMs: leaseSeconds * 1000,
          clientId,
          log,
          signal,
        }),
    }),
    ...(commandTable !== undefined && { ledger: createLedger(client, commandTable) }),
  };
}
