// The bridge as one thing: starts the routes, the commands and the HTTP server of a config, and drains them.
import type { Logger } from 'pino';
import type { Broker } from './broker/access.ts';
import type { BridgeConfig } from './config.ts';
import { openSigner } from './handler/request-signing.ts';
import { type BridgeStatus, createBridgeHttp } from './http.ts';
import { listen } from './listen.ts';
import { startMetricLines } from './metric-lines.ts';
import { createMetrics } from './metrics.ts';
import { folderQuarantine } from './quarantine.ts';
import { createReplay } from './replay.ts';
import { type RouteStatus, startRoute } from './route.ts';
import type { Secrets } from './secrets.ts';
import type { DynamoDBClient, Tables } from './tables.ts';

export interface Bridge {
  /** Where the bridge's HTTP server listens. */
  readonly url: string;
  status(): BridgeStatus;
  /** Takes no more messages, settles and acknowledges what it can within `drainTimeoutMs`, and ends. */
  drain(): Promise<void>;
}

/** Time for ending sessions once the messages are settled, of the time for a clean stop. */
const closingMs = 1500;

/**
 * Starts a bridge. Rejects only if its HTTP port cannot be had; a broker that is away is waited for.
 * `database` is for tables; by default the one of the AWS SDK's environment variables.
 */
export async function startBridge(
  config: BridgeConfig,
  log: Logger,
  database?: DynamoDBClient,
): Promise<Bridge> {
  const { http, drainTimeoutMs } = config;
  const secrets = await openSecrets(config, log);
  const broker: Broker = { ...config.broker, secrets };
  const signers = await Promise.all(config.routes.map((route) => openSigner(route, secrets)));
  const metrics = createMetrics();
  const needsTables =
    config.quarantineTable !== undefined ||
    config.leaseTable !== undefined ||
    config.commandTable !== undefined;
  const {
    quarantine = folderQuarantine(config.quarantineFolder),
    findLetter,
    acquire,
    ledger,
  }: Tables = needsTables ? (await import('./tables.ts')).openTables(config, database) : {};
  const commands =
    ledger === undefined
      ? undefined
      : (await import('./commands/commands.ts')).startCommands({
          broker,
          commands: config.commands,
          ledger,
          acquire,
          metrics,
          log: log.child({ part: 'commands' }),
        });
  const routes = config.routes.map((route, index) =>
    startRoute({
      broker,
      config: route,
      signer: signers[index],
      quarantine,
      acquire,
      metrics,
      log: log.child({ route: route.name }),
    }),
  );

  function status(): BridgeStatus {
    const problems = routes.flatMap((route) => problemsOf(route.status()));
    const problem = commands?.problem();
    if (problem !== undefined) problems.push(problem);
    return { ready: problems.length === 0, problems };
  }

  const app = createBridgeHttp({
    status,
    metrics: () => metrics.scrape(),
    token: http.token,
    deliver: commands?.deliver,
    replay: findLetter && createReplay(findLetter, routes),
  });

  async function drainParts(): Promise<void> {
    // The last part of the time is for PUBACKs, DISCONNECT and the release of leases.
    const settling = new AbortController();
    const timer = setTimeout(() => settling.abort(), Math.max(0, drainTimeoutMs - closingMs));
    await Promise.all([
      ...routes.map((route) => route.drain(settling.signal)),
      commands?.drain(settling.signal),
    ]);
    clearTimeout(timer);
    metricLines.stop();
  }

  const metricLines = startMetricLines({ metrics, quarantine, log });

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

/** Undefined where the config names no secret. */
async function openSecrets(
  { broker, routes }: BridgeConfig,
  log: Logger,
): Promise<Secrets | undefined> {
  const names = [
    broker.credentialsSecret,
    broker.caSecret,
    broker.clientCertificateSecret,
    ...routes.map(({ secretName }) => secretName),
  ];
  if (names.every((name) => name === undefined)) return undefined;
  return (await import('./secrets.ts')).createSecrets(log.child({ part: 'secrets' }));
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
