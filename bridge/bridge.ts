// The bridge as one thing: starts the routes, the commands and the HTTP server of a config, and drains them.
import { setMaxListeners } from 'node:events';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Broker } from './broker/access.ts';
import { CertificateExpiry } from './broker/certificate-expiry.ts';
import { oneNetSecretName } from './broker/onenet-config.ts';
import type { BridgeConfig } from './config.ts';
import { openSigner } from './handler/request-signing.ts';
import { type BridgeStatus, createBridgeHttp } from './http.ts';
import { listen } from './listen.ts';
import { startMetricLines } from './metric-lines.ts';
import { createMetrics } from './metrics.ts';
import { folderQuarantine } from './quarantine/quarantine.ts';
import { createReplay } from './quarantine/replay.ts';
import { type BacklogOf, startRoute } from './routes/route.ts';
import { folderRouteStates } from './routes/route-state-folder.ts';
import { RouteStates } from './routes/route-states.ts';
import type { Secrets } from './secrets.ts';
import type { DynamoDBClient, Tables } from './tables.ts';

export interface Bridge {
  /** Where the bridge's HTTP server listens. */
  readonly url: string;
  status(): BridgeStatus;
  /** Takes no more messages, settles and acknowledges what it can within `drainTimeoutMs`, and ends. */
  drain(): Promise<void>;
}

/** Time for ending sessions once the messages are settled, and for their traces, of the time for a clean stop. */
const closingMs = 1500;

/** What is around the bridge, where that is not as on AWS. */
export interface Surroundings {
  /** For tables; DynamoDB as the AWS SDK's environment variables say, by default. */
  readonly database?: DynamoDBClient | undefined;
  /** The secrets that the config names; in Secrets Manager by default. */
  readonly secretStore?: Secrets | undefined;
  /** What the broker tells of its backlogs; nothing by default. */
  readonly backlogOf?: BacklogOf | undefined;
}

/** Starts a bridge. Rejects only if its HTTP port cannot be had; a broker that is away is waited for. */
export async function startBridge(
  config: BridgeConfig,
  log: Logger,
  { database, secretStore, backlogOf }: Surroundings = {},
): Promise<Bridge> {
  const { http, drainTimeoutMs } = config;
  const secrets = secretStore ?? (await openSecrets(config, log));
  const certificates = new CertificateExpiry(log);
  const broker: Broker = { ...config.broker, secrets, certificates };
  const signers = await Promise.all(config.routes.map((route) => openSigner(route, secrets)));
  const metrics = createMetrics();
  metrics.certificates(() => certificates.firstMs());
  const needsTables =
    config.quarantineTable !== undefined ||
    config.leaseTable !== undefined ||
    config.replayTable !== undefined ||
    config.commandTable !== undefined;
  const {
    quarantine = folderQuarantine(config.quarantineFolder),
    findLetter,
    openTraces,
    replays: replayTables,
    acquire,
    routeStates = folderRouteStates(
      join(config.quarantineFolder, 'route-state'),
      broker.clientIdPrefix,
    ),
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
  const states = new RouteStates({
    store: routeStates,
    routes: config.routes.map(({ name }) => name),
    log: log.child({ part: 'route states' }),
  });
  const traceStore = openTraces?.((count) => metrics.tracesLost(count));
  const routes = config.routes.map((route, index) =>
    startRoute({
      broker,
      config: route,
      signer: signers[index],
      quarantine,
      traceStore,
      states,
      backlogOf,
      acquire,
      metrics,
      log: log.child({ route: route.name }),
    }),
  );

  const replayLetter = findLetter && createReplay(findLetter, routes);
  const replays =
    replayTables &&
    (await import('./replays/replays.ts')).startReplays({
      ...replayTables,
      ...config.replays,
      routes,
      replayLetter,
      acquire,
      leaseName: `${broker.clientIdPrefix}-replays`,
      log: log.child({ part: 'replays' }),
    });

  function status(): BridgeStatus {
    const problems = routes.flatMap((route) => route.problems());
    const problem = commands?.problem();
    if (problem !== undefined) problems.push(problem);
    return { ready: problems.length === 0, problems };
  }

  const app = createBridgeHttp({
    status,
    metrics: () => metrics.scrape(),
    token: http.token,
    deliver: commands?.deliver,
    replay: replayLetter,
    wakeReplays: replays && (() => replays.wake()),
    routes,
  });

  async function drainParts(): Promise<void> {
    // The last part of the time is for PUBACKs, DISCONNECT and the release of leases.
    const settling = new AbortController();
    // A listener or two of each route; Node warns of more than ten.
    setMaxListeners(0, settling.signal);
    const timer = setTimeout(() => settling.abort(), Math.max(0, drainTimeoutMs - closingMs));
    await Promise.all([
      ...routes.map((route) => route.drain(settling.signal)),
      commands?.drain(settling.signal),
      replays?.drain(settling.signal),
    ]);
    clearTimeout(timer);
    await traceStore?.drain(AbortSignal.timeout(closingMs));
    await states.stop();
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
    oneNetSecretName(broker.onenet),
    ...routes.flatMap(({ secretName, bearerSecret, basicSecret }) => [
      secretName,
      bearerSecret,
      basicSecret,
    ]),
  ];
  if (names.every((name) => name === undefined)) return undefined;
  return (await import('./secrets.ts')).createSecrets(log.child({ part: 'secrets' }));
}
