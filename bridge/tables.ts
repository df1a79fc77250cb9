// What the bridge keeps in DynamoDB: rejected messages and leases. Loaded only where a table is configured,
// because the AWS SDK takes 20 MB of memory that a bridge without one need not spend.
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { BridgeConfig } from './config.ts';
import { acquireLease } from './lease.ts';
import type { Acquire } from './member.ts';
import type { Quarantine } from './quarantine.ts';
import { tableQuarantine } from './quarantine-table.ts';

export interface Tables {
  readonly quarantine?: Quarantine;
  readonly acquire?: Acquire;
}

/** `client` is by default that of the SDK's own environment variables. */
export function openTables(
  { quarantineTable, leaseTable, leaseSeconds }: BridgeConfig,
  client = new DynamoDBClient(),
): Tables {
  return {
    ...(quarantineTable !== undefined && { quarantine: tableQuarantine(quarantineTable, client) }),
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
  };
}
