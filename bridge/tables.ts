// What the bridge keeps in DynamoDB: rejected messages and traces, leases, states of routes, replays, and the ledger of
// commands. Loaded only where a table is configured, because the AWS SDK takes 20 MB of memory that a bridge without one need not spend.
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { createLedger, type Ledger } from './commands/ledger.ts';
import type { BridgeConfig } from './config.ts';
import { traceTable } from './forwarding/trace-table.ts';
import type { TraceStore } from './forwarding/traces.ts';
import { acquireLease } from './lease.ts';
import type { Quarantine } from './quarantine/quarantine.ts';
import { findInTable, tableQuarantine } from './quarantine/quarantine-table.ts';
import type { FindLetter } from './quarantine/replay.ts';
import { createReplayTable } from './replays/replay-table.ts';
import type { ReplayTables } from './replays/replays.ts';
import { tableRouteStates } from './routes/route-state-table.ts';
import type { RouteStateStore } from './routes/route-states.ts';
import type { Acquire } from './session/member.ts';

export type { DynamoDBClient };

export interface Tables {
  readonly quarantine?: Quarantine;
  readonly findLetter?: FindLetter;
  /** Told of traces that were not kept. */
  readonly openTraces?: (onLost: (count: number) => void) => TraceStore;
  readonly replays?: ReplayTables;
  readonly acquire?: Acquire;
  readonly routeStates?: RouteStateStore;
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
export function openTables(config: BridgeConfig, client = createClient()): Tables {
  const { broker, quarantineTable, leaseTable, leaseSeconds, commandTable, replayTable } = config;
  const stateTable = leaseTable ?? quarantineTable ?? commandTable;
  return {
    ...(stateTable !== undefined && {
      routeStates: tableRouteStates(stateTable, client, broker.clientIdPrefix),
    }),
    ...(quarantineTable !== undefined && {
      quarantine: tableQuarantine(quarantineTable, client),
      findLetter: findInTable(quarantineTable, client),
      openTraces: (onLost) =>
        traceTable({
          client,
          tableName: quarantineTable,
          retentionDays: config.traceRetentionDays,
          onLost,
        }),
    }),
    ...(replayTable !== undefined && {
      replays: {
        table: createReplayTable(client, replayTable),
        source: { client, tableName: replayTable },
      },
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
