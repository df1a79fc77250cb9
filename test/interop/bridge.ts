// A bridge in this process, with one route to the world's handler and an api in front of its commands.
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { type Bridge, startBridge } from '../../bridge/bridge.ts';
import { type BridgeConfigInput, parseConfig } from '../../bridge/config/config.ts';
import { until } from '../support/wait.ts';
import { type Api, apiOf, bridgeToken, type CommandAnswer } from './api.ts';
import type { World } from './world.ts';

export interface InteropBridge extends Bridge {
  /** Lines of its log, as JSON. */
  readonly log: readonly string[];
  /** `POST /v1/publish`. */
  publish(command: object): Promise<CommandAnswer>;
}

export interface BridgeOptions {
  /** Name of the bridge's sessions: the same name resumes them. */
  readonly name: string;
  readonly filter: string;
  /** Default: the world's broker. */
  readonly brokerUrl?: string;
  readonly broker?: Partial<BridgeConfigInput['broker']>;
  readonly route?: Partial<BridgeConfigInput['routes'][number]>;
  readonly drainTimeoutMs?: number;
  /** Resolves when it is ready; default true. */
  readonly untilReady?: boolean;
}

/** Starts one that ends with the test at the latest. Throws an error with the faults of its config. */
export async function startInteropBridge(
  { kind, broker, handler, table, folder }: World,
  options: BridgeOptions,
): Promise<InteropBridge> {
  const { name, filter, untilReady = true, drainTimeoutMs = 2000 } = options;
  const config = parseConfig({
    broker: {
      url: options.brokerUrl ?? broker.url,
      clientIdPrefix: name,
      protocolVersion: kind.protocolVersion,
      profile: kind.profile,
      ...options.broker,
    },
    http: { port: 0, token: bridgeToken },
    routes: [{ name: 'store', filter, url: handler.url, allowPrivate: true, ...options.route }],
    // Without leases: on a busy machine one is lost, and what its session had in flight may be stored twice.
    quarantineTable: table.tableName,
    // The session ledger is in it; a bridge that follows another one finds what that has left.
    quarantineFolder: folder,
    commandTable: table.tableName,
    drainTimeoutMs,
  });
  if (!config.ok) throw new Error(JSON.stringify(config.faults));
  const log: string[] = [];
  const write = (line: string) => void log.push(line);
  const bridge = await startBridge(config.value, pino({}, { write }), {
    database: table.client,
  });
  let drained: Promise<void> | undefined;
  const drain = () => {
    drained ??= bridge.drain();
    return drained;
  };
  onTestFinished(drain);
  if (untilReady)
    await until(() => bridge.status().ready, { what: `${name} is ready`, timeoutMs: 60_000 });
  const api: Api = apiOf(table, bridge.url);
  return {
    ...bridge,
    drain,
    log,
    publish: async (command) => (await api('/v1/publish', command)) as CommandAnswer,
  };
}
