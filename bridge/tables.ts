// What the bridge keeps in DynamoDB: rejected messages and traces, leases, the session ledger, states of routes,
// replays, and the ledger of commands. Loaded only where a table is configured, because the AWS SDK takes 20 MB of memory that a bridge without one need not spend.
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Logger } from 'pino';
import type { BridgeAddress } from '../functions/table/bridge-item.ts';
import {
  announcedSeconds,
  markChange,
  readChangeMarker,
} from '../functions/table/change-marker.ts';
import { createTableClient } from '../functions/table/client.ts';
import type { ItemSource } from '../functions/table/partition.ts';
import { ChangeWatch, unmarkedChanges } from './base/change-watch.ts';
import { Leases } from './base/lease.ts';
import type { SharedLeases } from './base/lease-sharing.ts';
import { leaseTable as openLeaseTable } from './base/lease-table.ts';
import type { WallClock } from './base/wall-clock.ts';
import { createLedger, type Ledger } from './commands/ledger.ts';
import type { BridgeConfig } from './config/config.ts';
import type { FindDeadLetter } from './dead-letters/dead-letter-replay.ts';
import type { DeadLetterStore } from './dead-letters/dead-letter-store.ts';
import { findInTable, tableDeadLetters } from './dead-letters/dead-letter-table.ts';
import { traceTable } from './forwarding/trace-table.ts';
import type { TraceStore } from './forwarding/traces.ts';
import { createReplayTable } from './replays/replay-table.ts';
import type { ReplayTables } from './replays/replays.ts';
import { tableRouteStates } from './routes/route-state-table.ts';
import type { RouteStateStore } from './routes/route-states.ts';
import type { StampStore } from './session/session-clock.ts';
import { tableStamps } from './session/stamp-table.ts';
import type { LedgerStore } from './session-ledger/ledger-store.ts';
import { tableLedger } from './session-ledger/ledger-table.ts';
import { sessionsHash, wantedSessions } from './session-ledger/wanted.ts';

export type { DynamoDBClient };

export interface Tables {
  readonly deadLetters?: DeadLetterStore;
  readonly findDeadLetter?: FindDeadLetter;
  /** Told of traces that were not kept. */
  readonly openTraces?: (onLost: (count: number) => void) => TraceStore;
  readonly replays?: ReplayTables;
  /** Where messages are stored, and their index is kept. */
  readonly messages?: ItemSource;
  readonly leases?: Leases;
  /** Absent where there are several tables: the marker is in one, and speaks for that alone. */
  readonly changes?: ChangeWatch;
  readonly routeStates?: RouteStateStore;
  /** Absent where there are no leases: then there is one bridge, and a file will do. */
  readonly sessionLedger?: LedgerStore;
  readonly stamps?: StampStore;
  readonly ledger?: Ledger;
}

/** Every answer of DynamoDB, refusals too, says what time it is there. */
function checkClock(client: DynamoDBClient, wallClock: WallClock): void {
  client.middlewareStack.add(
    (next) => async (args) => {
      const sentMs = wallClock.systemMs();
      const result = await next(args);
      const { headers } = (result.response ?? {}) as { headers?: Record<string, string> };
      wallClock.observe(headers?.['date'], sentMs);
      return result;
    },
    // Next to the network, before an answer is turned into an error.
    { step: 'deserialize', priority: 'low', name: 'checkClock', override: true },
  );
}

export interface TablesOptions {
  readonly wallClock: WallClock;
  /** Where the api reaches this bridge. */
  readonly address?: BridgeAddress | undefined;
  /** How long after a mark its changes are looked for; for tests. */
  readonly announcedMs?: number | undefined;
  readonly log: Logger;
  /** By default that of the SDK's own environment variables. */
  readonly client?: DynamoDBClient | undefined;
}

/** Undefined where the broker keeps no sessions: what comes while one moves would be lost. */
function sharedLeases(
  { broker, routes }: BridgeConfig,
  rest: Pick<SharedLeases, 'changes' | 'announce'>,
): SharedLeases | undefined {
  if (broker.cleanSession) return undefined;
  const wanted = routes.flatMap((route) => wantedSessions(broker, route));
  return {
    group: sessionsHash(wanted),
    routes: new Map(wanted.map(({ lease, route }) => [lease, route])),
    ...rest,
  };
}

export function openTables(
  config: BridgeConfig,
  {
    wallClock,
    address,
    announcedMs = announcedSeconds * 1000,
    log,
    client = createTableClient(),
  }: TablesOptions,
): Tables {
  checkClock(client, wallClock);
  const { broker, quarantineTable, leaseTable, leaseSeconds, commandTable, replayTable } = config;
  const stateTable = leaseTable ?? quarantineTable ?? commandTable;
  const [tableName, ...others] = new Set(
    [stateTable, commandTable, replayTable].filter((name) => name !== undefined),
  );
  const changes =
    tableName !== undefined && others.length === 0
      ? new ChangeWatch({ read: () => readChangeMarker({ client, tableName }), announcedMs })
      : undefined;
  return {
    ...(changes !== undefined && { changes }),
    ...(stateTable !== undefined && {
      routeStates: tableRouteStates(stateTable, client, broker.clientIdPrefix),
      stamps: tableStamps(stateTable, client),
    }),
    ...(quarantineTable !== undefined && {
      deadLetters: tableDeadLetters(quarantineTable, client, config.deadLetters),
      findDeadLetter: findInTable(quarantineTable, client),
      openTraces: (onLost) =>
        traceTable({
          client,
          tableName: quarantineTable,
          retentionDays: config.traceRetentionDays,
          onLost,
        }),
    }),
    ...(replayTable !== undefined && {
      messages: { client, tableName: replayTable },
      replays: {
        table: createReplayTable(client, replayTable),
        source: { client, tableName: replayTable },
      },
    }),
    ...(leaseTable !== undefined && {
      sessionLedger: tableLedger(leaseTable, client, broker.clientIdPrefix),
      leases: new Leases({
        store: openLeaseTable(leaseTable, client),
        leaseMs: leaseSeconds * 1000,
        address,
        shared: sharedLeases(config, {
          changes: changes ?? unmarkedChanges,
          announce: () => markChange({ client, tableName: leaseTable }),
        }),
        log: log.child({ part: 'leases' }),
      }),
    }),
    ...(commandTable !== undefined && { ledger: createLedger(client, commandTable) }),
  };
}
