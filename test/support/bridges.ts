// A bridge in this process, for tests: one route to a handler, drained at the end of the test.
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { type Bridge, startBridge } from '../../bridge/bridge.ts';
import { type BridgeConfigInput, parseConfig } from '../../bridge/config.ts';
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
  /** Keeps leases, quarantine and commands in this table. */
  readonly table?: TestTable;
  readonly commands?: BridgeConfigInput['commands'];
  /** What its commands log, line by line. */
  readonly onLog?: (line: string) => void;
}

export async function startTestBridge(input: BridgeInput): Promise<Bridge> {
  const config = parseConfig({
    broker: { url: input.brokerUrl, ...input.broker },
    http: { port: 0, ...(input.token !== undefined && { token: input.token }) },
    routes: [
      { name: 'store', filter: '#', url: input.handlerUrl, allowPrivate: true, ...input.route },
    ],
    drainTimeoutMs: input.drainTimeoutMs ?? 2000,
    ...(input.quarantineFolder !== undefined && { quarantineFolder: input.quarantineFolder }),
    ...(input.table !== undefined && {
      leaseTable: input.table.tableName,
      quarantineTable: input.table.tableName,
      commandTable: input.table.tableName,
      leaseSeconds: 2,
    }),
    ...(input.commands !== undefined && { commands: input.commands }),
  });
  if (!config.ok) throw new Error(JSON.stringify(config.faults));
  const log =
    input.onLog === undefined ? pino({ level: 'silent' }) : pino({}, { write: input.onLog });
  const bridge = await startBridge(config.value, log, { database: input.table?.client });
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
