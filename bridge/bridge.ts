// The bridge as one thing: starts the routes, the publisher and the HTTP server of a config, and drains them.
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Logger } from 'pino';
import type { BridgeConfig } from './config.ts';
import { type BridgeStatus, createBridgeHttp } from './http.ts';
import { listen } from './listen.ts';
import { createMetrics } from './metrics.ts';
import { Publisher } from './publisher.ts';
import { folderQuarantine } from './quarantine.ts';
import { type RouteStatus, startRoute } from './route.ts';
import type { Tables } from './tables.ts';

export interface Bridge {
  /** Where the bridge's HTTP server listens. */
  readonly url: string;
  status(): BridgeStatus;
  /** Takes no more messages, settles and acknowledges what it can within `drainTimeoutMs`, and ends. */
  drain(): Promise<void>;
}

/** Time for ending sessions once the messages are settled, of the time for a clean stop. */
const closingMs = 1500;

/** Time for the broker's acknowledgement of a command. */
const publishTimeoutMs = 10_000;

/**
 * Starts a bridge. Rejects only if its HTTP port cannot be had; a broker that is away is waited for.
 * `database` is for tables; by default the one of the AWS SDK's environment variables.
 */
export async function startBridge(
  config: BridgeConfig,
  log: Logger,
  database?: DynamoDBClient,
): Promise<Bridge> {
  const { broker, http, drainTimeoutMs } = config;
  const token = http.token;
  const publisher =
    token === undefined ? undefined : new Publisher({ broker, log, timeoutMs: publishTimeoutMs });
  const metrics = createMetrics();
  const needsTables = config.quarantineTable !== undefined || config.leaseTable !== undefined;
  const { quarantine = folderQuarantine(config.quarantineFolder), acquire }: Tables = needsTables
    ? (await import('./tables.ts')).openTables(config, database)
    : {};
  const routes = config.routes.map((route) =>
    startRoute({
      broker,
      config: route,
      quarantine,
      acquire,
      metrics,
      log: log.child({ route: route.name }),
    }),
  );

  function status(): BridgeStatus {
    const problems = routes.flatMap((route) => problemsOf(route.status()));
    if (publisher?.connected === false) problems.push('publisher: not connected to the broker');
    return { ready: problems.length === 0, problems };
  }

  const app = createBridgeHttp({
    status,
    metrics: () => metrics.scrape(),
    ...(token !== undefined &&
      publisher !== undefined && {
        commands: { token, publish: (command) => publisher.publish(command) },
      }),
  });

  async function drainParts(): Promise<void> {
    // The last part of the time is for PUBACKs, DISCONNECT and the release of leases.
    const settling = new AbortController();
    const timer = setTimeout(() => settling.abort(), Math.max(0, drainTimeoutMs - closingMs));
    await Promise.all([...routes.map((route) => route.drain(settling.signal)), publisher?.close()]);
    clearTimeout(timer);
  }

  const server = await listen(app, http.host, http.port).catch(async (error) => {
    await drainParts();
    throw error;
  });

  return {
    url: server.url,
    status,
    async drain() {
      await drainParts();
      await server.close();
    },
  };
}

function problemsOf({ name, sessions, holding }: RouteStatus): string[] {
  const problems = sessions.flatMap((session) =>
    // A standby is ready: its work is to wait.
    session.kind === 'active' || session.kind === 'standby'
      ? []
      : [`route ${name}: ${session.kind}${'reason' in session ? `: ${session.reason}` : ''}`],
  );
  if (holding !== undefined) problems.push(`route ${name}: holding: ${holding}`);
  return problems;
}
