// A bridge in this process, for tests: one route to a handler, drained at the end of the test.
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { type Bridge, startBridge } from '../../bridge/bridge.ts';
import { type BridgeConfigInput, parseConfig } from '../../bridge/config/config.ts';
import type { BrokerRules } from '../../functions/contract/broker-rules.ts';
import { temporaryFolder } from './brokers.ts';
import type { TestTable } from './table.ts';
import { until } from './wait.ts';

type RouteInput = BridgeConfigInput['routes'][number];

export interface BridgeInput {
  readonly brokerUrl: string;
  readonly handlerUrl: string;
  readonly route?: Partial<RouteInput>;
  readonly broker?: Partial<BridgeConfigInput['broker']>;
  readonly token?: string;
  readonly drainTimeoutMs?: number;
  readonly quarantineFolder?: string;
  readonly endSessionsAfterSeconds?: number;
  /** What the broker does not take, where its profile does not say it. */
  readonly brokerRules?: BrokerRules;
  /** Keeps leases, quarantine and commands in this table. */
  readonly table?: TestTable;
  /** Default 2, which a busy machine can lose. */
  readonly leaseSeconds?: number;
  readonly commands?: BridgeConfigInput['commands'];
  /** What it logs, line by line. */
  readonly onLog?: (line: string) => void;
  /** The clock of its machine. */
  readonly now?: () => number;
}

export async function startTestBridge(input: BridgeInput): Promise<Bridge> {
  const config = parseConfig({
    broker: { url: input.brokerUrl, ...input.broker },
    http: { port: 0, ...(input.token !== undefined && { token: input.token }) },
    routes: [
      { name: 'store', filter: '#', url: input.handlerUrl, allowPrivate: true, ...input.route },
    ],
    drainTimeoutMs: input.drainTimeoutMs ?? 2000,
    // The session ledger is in it: one of another test's bridge would be taken for this one's.
    quarantineFolder: input.quarantineFolder ?? temporaryFolder('quarantine'),
    ...(input.table !== undefined && {
      leaseTable: input.table.tableName,
      quarantineTable: input.table.tableName,
      commandTable: input.table.tableName,
      leaseSeconds: input.leaseSeconds ?? 2,
    }),
    ...(input.endSessionsAfterSeconds !== undefined && {
      endSessionsAfterSeconds: input.endSessionsAfterSeconds,
    }),
    ...(input.commands !== undefined && { commands: input.commands }),
  });
  if (!config.ok) throw new Error(JSON.stringify(config.faults));
  const log =
    input.onLog === undefined ? pino({ level: 'silent' }) : pino({}, { write: input.onLog });
  const bridge = await startBridge(config.value, log, {
    database: input.table?.client,
    now: input.now,
    brokerRules: input.brokerRules,
  });
  let drained: Promise<void> | undefined;
  const drain = () => {
    drained ??= bridge.drain();
    return drained;
  };
  onTestFinished(drain);
  return { ...bridge, drain };
}

export async function untilReady(bridge: Bridge): Promise<void> {
  await until(() => bridge.status().ready, {
    what: `ready: ${bridge.status().problems.join('; ')}`,
  });
}
