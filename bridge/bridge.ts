// The bridge as one thing: starts the routes, the commands and the HTTP server of a config, and drains them.
import { setMaxListeners } from 'node:events';
import type { Logger } from 'pino';
import type { BrokerRules } from '../functions/contract/broker-rules.ts';
import type { BridgeAddress } from '../functions/table/bridge-item.ts';
import { notingClients, startAlerts } from './alerts/alerts.ts';
import type { Condition } from './alerts/condition.ts';
import { Conditions } from './alerts/conditions.ts';
import { OfflineClients } from './alerts/offline-clients.ts';
import { problemsOf } from './alerts/problems.ts';
import { RecentGrowth } from './alerts/recent-growth.ts';
import type { Acquire } from './base/leased.ts';
import { listen } from './base/listen.ts';
import type { Secrets } from './base/secrets.ts';
import { WallClock } from './base/wall-clock.ts';
import {
  type BridgeConfig,
  bridgeConfigSchema,
  publicUrl,
  type RouteConfig,
} from './config/config.ts';
import { budgetBytes, floorsOf } from './config/memory.ts';
import { secretNamesIn } from './config/secret-names.ts';
import type { Broker } from './connection/access.ts';
import { CertificateExpiry } from './connection/certificate-expiry.ts';
import { createReplay } from './dead-letters/dead-letter-replay.ts';
import type { OnCall } from './forwarding/handler-calls.ts';
import { openHandlerTls } from './handler/handler-tls.ts';
import { openSigner } from './handler/request-signing.ts';
import { malformedSecrets } from './handler/secret-forms.ts';
import { type BridgeStatus, createBridgeHttp } from './http.ts';
import { Budget } from './memory/budget.ts';
import { startMetricLines } from './metrics/metric-lines.ts';
import { createMetrics } from './metrics/metrics.ts';
import { startRoute } from './routes/route.ts';
import type { BacklogOf } from './routes/route-sessions.ts';
import { RouteStates } from './routes/route-states.ts';
import { SessionClocks } from './session/session-clock.ts';
import { RunningDeployment } from './session-ledger/deployment.ts';
import { SessionLedger } from './session-ledger/ledger.ts';
import { LeftSessions } from './session-ledger/left-sessions.ts';
import { drainBound, RemovedRoute } from './session-ledger/removed-route.ts';
import { routeHashes, wantedSessions } from './session-ledger/wanted.ts';
import { openStores } from './stores.ts';
import type { DynamoDBClient } from './tables.ts';
import type { Tracing } from './tracing/tracing.ts';

export interface Bridge {
  /** Where the bridge's HTTP server listens. */
  readonly url: string;
  status(): BridgeStatus;
  /** What is wrong now that somebody should know of. */
  conditions(): readonly Condition[];
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
  /** What the broker does not take; by default what its profile says. */
  readonly brokerRules?: BrokerRules | undefined;
  /** What the broker tells of its backlogs; nothing by default. */
  readonly backlogOf?: BacklogOf | undefined;
  /** Who is told of the requests of a route, for those routes that somebody looks at. */
  readonly onCallOf?: ((route: string) => OnCall | undefined) | undefined;
  /** Who collects spans; nobody by default. */
  readonly tracing?: Pick<Tracing, 'commands' | 'ofRoute' | 'lostSpans'> | undefined;
  /** Where the api reaches this bridge, with the token that `http` asks for; told beside the leases. */
  readonly address?: BridgeAddress | undefined;
  /** How long after a mark its changes are looked for; for tests. */
  readonly announcedMs?: number | undefined;
  /** The machine's clock in ms since 1970; `Date.now` by default. */
  readonly now?: (() => number) | undefined;
}

/** Secrets of routes are there and malformed. Its message says which, and may be shown. */
export class SecretsRefused extends Error {}

/**
 * Starts a bridge. Rejects if its HTTP port cannot be had, and with {@link SecretsRefused}; a broker that is away, and a
 * secret that cannot be read, are waited for.
 */
export async function startBridge(
  config: BridgeConfig,
  log: Logger,
  {
    database,
    secretStore,
    brokerRules,
    backlogOf,
    onCallOf,
    tracing,
    address,
    announcedMs,
    now,
  }: Surroundings = {},
): Promise<Bridge> {
  const { http, drainTimeoutMs } = config;
  const secrets = secretStore ?? (await openSecrets(config, log));
  const certificates = new CertificateExpiry(log);
  const broker: Broker = { ...config.broker, rules: brokerRules, secrets, certificates };
  const malformed = await malformedSecrets(config.routes, secrets);
  if (malformed.length > 0) throw new SecretsRefused(malformed.join('; '));
  const offlineClients = new OfflineClients(config.alerts?.clients ?? []);
  const signers = await Promise.all(config.routes.map((route) => openSigner(route, secrets)));
  const metrics = createMetrics();
  metrics.certificates(() => certificates.firstMs());
  const wallClock = new WallClock({ system: now, log });
  metrics.clock(() => wallClock.errorMs);
  if (tracing !== undefined) metrics.spans(() => tracing.lostSpans());
  const {
    deadLetters,
    findDeadLetter,
    openTraces,
    replays: replayTables,
    messages,
    leases,
    changes,
    routeStates,
    sessionLedger,
    stamps,
    ledger,
  } = await openStores(config, { wallClock, address, announcedMs, log, client: database });
  const acquire: Acquire | undefined = leases && ((...wanted) => leases.acquire(...wanted));
  const commands =
    ledger === undefined
      ? undefined
      : (await import('./commands/commands.ts')).startCommands({
          broker,
          commands: config.commands,
          ledger,
          changes,
          acquire,
          metrics,
          spans: tracing?.commands,
          log: log.child({ part: 'commands' }),
        });
  const states = new RouteStates({
    store: routeStates,
    routes: config.routes.map(({ name }) => name),
    changes,
    log: log.child({ part: 'route states' }),
  });
  const ledgerLog = log.child({ part: 'session ledger' });
  const wanted = config.routes.flatMap((route) => wantedSessions(broker, route));
  const sessions = new SessionLedger({
    store: sessionLedger,
    wanted,
    brokerHost: new URL(broker.url).hostname,
    isClean: broker.cleanSession,
    log: ledgerLog,
  });
  const clocks = new SessionClocks({ store: stamps, wallClock, log });
  const deployment = new RunningDeployment({
    store: sessionLedger,
    routes: routeHashes(wanted),
    log: ledgerLog,
  });
  const acquireLeft = acquire && deployment.acquireFor(undefined, acquire);
  const traceStore = openTraces?.((count) => metrics.tracesLost(count));
  // What connections read is set aside: nobody can say before it is there.
  const reading = config.routes.reduce((sum, route) => sum + floorsOf(route).reading, 0);
  const budget = new Budget(budgetBytes(config.memoryMiB) - reading);
  const onCallOfRoute = ({ name, ingest }: RouteConfig) => {
    const onCall = onCallOf?.(name);
    const tellsClients = ingest && (config.alerts?.clients.length ?? 0) > 0;
    return tellsClients ? notingClients(offlineClients, onCall) : onCall;
  };
  const routes = config.routes.map((route, index) =>
    startRoute({
      broker,
      config: route,
      signer: signers[index],
      tls: openHandlerTls(route, secrets),
      deadLetters,
      traceStore,
      states,
      ledger: sessions,
      clocks,
      wallClock,
      backlogOf,
      acquire: acquire && deployment.acquireFor(route.name, acquire),
      acquireLeft,
      budget,
      metrics,
      onCall: onCallOfRoute(route),
      spans: tracing?.ofRoute(route.name),
      log: log.child({ route: route.name }),
    }),
  );
  const conditions = new Conditions({ routes, certificates: () => certificates.firstMs() });
  const alerts =
    config.alerts &&
    (await startAlerts({
      config: config.alerts,
      conditions,
      source: `${publicUrl(broker.url)}/${broker.clientIdPrefix}`,
      secrets,
      clients: offlineClients,
      log: log.child({ part: 'alerts' }),
    }));

  const replayDeadLetter = findDeadLetter && createReplay(findDeadLetter, routes);
  const indexing =
    messages &&
    (await import('./indexing/indexing.ts')).startIndexing({
      source: messages,
      acquire,
      log: log.child({ part: 'indexing' }),
    });
  if (indexing !== undefined) metrics.index(indexing.delayMs);

  const replays =
    replayTables &&
    (await import('./replays/replays.ts')).startReplays({
      ...replayTables,
      ...config.replays,
      routes,
      traceStore,
      replayDeadLetter,
      changes,
      acquire,
      leaseName: `${broker.clientIdPrefix}-replays`,
      log: log.child({ part: 'replays' }),
    });

  function status(): BridgeStatus {
    const problems = routes.flatMap((route) => route.problems());
    const problem = commands?.problem();
    if (problem !== undefined) problems.push(problem);
    if (leases?.problem !== undefined) problems.push(leases.problem);
    return { ready: problems.length === 0, problems };
  }

  const leftSessions = new LeftSessions({
    ledger: sessions,
    deployment,
    routes: new Map(routes.map((route) => [route.config.name, route])),
    openRemoved: (name) =>
      new RemovedRoute({
        name,
        ledger: sessions,
        broker,
        deadLetters,
        clocks,
        memory: budget.open(0),
        acquire: acquireLeft,
        bound: drainBound,
        log: log.child({ route: name }),
      }),
    broker,
    acquire: acquireLeft,
    hasSession: backlogOf && ((clientId) => backlogOf(clientId) !== undefined),
    isReady: () => status().ready,
    endAfterReadyMs: config.endSessionsAfterSeconds * 1000,
    log: ledgerLog,
  });

  const app = createBridgeHttp({
    status,
    metrics: () => metrics.scrape(),
    token: http.token,
    deliver: commands?.deliver,
    replay: replayDeadLetter,
    wakeReplays: replays && (() => replays.wake()),
    routes,
    leftSessions,
  });

  async function drainParts(): Promise<void> {
    leftSessions.stop();
    leases?.leave();
    // The last part of the time is for PUBACKs, DISCONNECT and the release of leases.
    const settling = new AbortController();
    // A listener or two of each route; Node warns of more than ten.
    setMaxListeners(0, settling.signal);
    const timer = setTimeout(() => settling.abort(), Math.max(0, drainTimeoutMs - closingMs));
    await Promise.all([
      ...routes.map((route) => route.drain(settling.signal)),
      commands?.drain(settling.signal),
      replays?.drain(settling.signal),
      indexing?.drain(settling.signal),
    ]);
    clearTimeout(timer);
    await leftSessions.close();
    const ending = AbortSignal.timeout(closingMs);
    await Promise.all([traceStore?.drain(ending), alerts?.drain(ending)]);
    await states.stop();
    changes?.stop();
    await leases?.close();
    metricLines.stop();
  }

  const failedCommands = new RecentGrowth();
  const metricLines = startMetricLines({
    metrics,
    deadLetters,
    problems() {
      const { failed, expired } = metrics.snapshot().results;
      return problemsOf({
        notReady: status().problems,
        conditions: conditions.now(),
        failedCommands: failedCommands.look(failed + expired, Date.now()),
      });
    },
    log,
  });

  const server = await listen(app, http.host, http.port).catch(async (error) => {
    await drainParts();
    throw error;
  });

  return {
    url: server.url,
    status,
    conditions: () => conditions.now(),
    async drain() {
      await drainParts();
      await server.close();
    },
  };
}

/** Undefined where the config names no secret. */
async function openSecrets(config: BridgeConfig, log: Logger): Promise<Secrets | undefined> {
  if (secretNamesIn(bridgeConfigSchema, config).length === 0) return undefined;
  return (await import('./base/secrets.ts')).createSecrets(log.child({ part: 'secrets' }));
}
