// The local stack: broker, database, functions and bridge wired together in one process, in the order they need
// each other, and stopped in the order that loses nothing.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Hono } from 'hono';
import type { Logger } from 'pino';
import { type Bridge, startBridge } from '../../bridge/bridge.ts';
import { parseConfig } from '../../bridge/config.ts';
import { listen } from '../../bridge/listen.ts';
import { rulesOf } from '../../bridge/profiles/settings.ts';
import type { Secrets } from '../../bridge/secrets.ts';
import { faultsText } from '../../functions/contract/parse.ts';
import type { IngestOptions } from '../../functions/ingest/app.ts';
import type { CausewayConfig } from '../config.ts';
import { embeddedPresence, presenceRoutes } from '../presence-routes.ts';
import { brokerMetrics } from './broker/metrics.ts';
import { type ChosenBroker, checkBroker, chooseBroker } from './chosen-broker.ts';
import { createMessagesTable, localClient, startDatabase } from './database.ts';
import { createFront, type Running } from './front.ts';
import { localApi, localIngest } from './functions.ts';
import { localPresenceRoutes, localRoutes } from './routes.ts';
import { openSecrets } from './secrets.ts';
import { folderError, portError, SettingError, type SettingName } from './setting-error.ts';
import type { Settings } from './settings.ts';
import { announceStack } from './stack-file.ts';

const host = '127.0.0.1';
const tableName = 'causeway-messages';

export interface LocalStack {
  readonly apiUrl: string;
  readonly brokerUrl: string;
  /** The same for other clients of this process: it may hold a password, and is not to be shown. */
  readonly ownBrokerUrl: string;
  /** Where the embedded broker listens, if there is one. */
  readonly brokerUrls: readonly string[];
  readonly databaseUrl: string;
  readonly bridgeUrl: string;
  readonly token: string;
  /** What was not ready yet, a line for each: handlers that are away, or that have answered 410. */
  readonly problems: readonly string[];
  /** Drains the bridge and stops every part. */
  stop(): Promise<void>;
}

/** What of the config has a meaning on one machine. */
export type LocalConfig = Pick<
  CausewayConfig,
  'broker' | 'routes' | 'presence' | 'retentionDays' | 'writeShards' | 'api' | 'push'
>;

/** Starts everything. Rejects with a {@link SettingError} for what the user can mend; stops what it started. */
export async function startStack(
  settings: Settings,
  config: LocalConfig,
  log: Logger,
): Promise<LocalStack> {
  const token = settings.API_TOKEN ?? randomBytes(24).toString('base64url');
  const bridgeToken = randomBytes(24).toString('base64url');
  const secret = `whsec_${randomBytes(32).toString('base64')}`;
  const closers: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const close of closers.splice(0).reverse()) await close();
  };

  const running: Running = { problems: () => ['starting'], metrics: [], api: undefined };

  try {
    checkRoutes(settings, config);
    const secrets = openSecrets(settings, config, log);
    const apiUrl = await serveApp(createFront(running), settings.PORT, closers).catch((error) => {
      throw portError('PORT', settings.PORT, error);
    });

    const databaseUrl = settings.DYNAMODB_ENDPOINT ?? (await startOwnDatabase(settings, closers));
    const client = localClient(databaseUrl);
    await createMessagesTable(client, tableName).catch((error) => {
      throw new SettingError(
        'DYNAMODB_ENDPOINT',
        `no DynamoDB answers at ${databaseUrl} (${error.message})`,
        error,
      );
    });
    closers.push(async () => client.destroy());

    const broker = await chooseBroker(settings, config.broker, log);
    const { url: brokerUrl, ownUrl: ownBrokerUrl, embedded } = broker;
    if (embedded !== undefined) {
      closers.push(() => embedded.close());
      const { scrape } = brokerMetrics(embedded.counters, embedded.gauges);
      running.metrics.push(async () => (await scrape()).text);
    }

    const { retentionDays, writeShards } = config;
    const onError = (error: Error) => log.error(error, 'a function failed');
    const ingest = localIngest({
      client,
      tableName,
      retentionDays,
      writeShards,
      secret,
      push: oneNetPushIn(settings, config),
      onError,
    });
    if (settings.ONENET_PUSH_TOKEN !== undefined) running.push = ingest;
    const ingestUrl = await serveApp(ingest, 0, closers);

    const bridge = await startOwnBridge(
      {
        config,
        broker,
        routes: [
          ...localRoutes(config, { ingestUrl, secret, webhooks: settings.WEBHOOKS }),
          ...localPresenceRoutes(
            // The embedded broker always tells who is online.
            presenceRoutes(
              embedded === undefined ? config.presence : embeddedPresence,
              broker.document.profile,
            ),
            config.broker,
            { ingestUrl, secret },
          ),
        ],
        bridgeToken,
        database: client,
        secrets,
      },
      log,
    );
    closers.push(() => bridge.drain());
    running.problems = () => bridge.status().problems;
    running.metrics.push(async () => (await fetch(`${bridge.url}/metrics`)).text());

    running.api = localApi({
      client,
      tableName,
      bridge: { url: bridge.url, token: bridgeToken },
      token,
      writeShards,
      brokerRules: rulesOf(broker.document.profile),
      api: {
        ...config.api,
        callerRequestsPerSecond: settings.REQUESTS_PER_SECOND ?? config.api.callerRequestsPerSecond,
      },
      onError,
    });
    closers.push(await announceStack(settings.DATA_DIR, { databaseUrl, table: tableName }));
    await waitUntilConnected(bridge, broker.setting);
    return {
      apiUrl,
      brokerUrl,
      ownBrokerUrl,
      brokerUrls: embedded?.urls ?? [],
      databaseUrl,
      bridgeUrl: bridge.url,
      token,
      problems: running.problems(),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function oneNetPushIn(settings: Settings, { push }: LocalConfig): IngestOptions['push'] {
  const { ONENET_PUSH_TOKEN: token, ONENET_PUSH_AES_KEY: aesKey } = settings;
  if (token === undefined) return undefined;
  return { onenet: { token, aesKey, productId: push.onenet?.productId } };
}

function checkRoutes({ WEBHOOKS }: Settings, { routes }: LocalConfig): void {
  if (!WEBHOOKS && routes.every(({ handler }) => handler !== undefined))
    throw new SettingError(
      'causeway.config.ts',
      'routes: all of them have a handler, and WEBHOOKS is not true',
    );
}

async function startOwnDatabase(
  settings: Settings,
  closers: (() => Promise<void>)[],
): Promise<string> {
  const database = await startDatabase(join(settings.DATA_DIR, 'database')).catch((error) => {
    throw folderError(settings, error);
  });
  closers.push(() => database.close());
  return database.endpoint;
}

interface BridgeWiring {
  readonly config: LocalConfig;
  readonly broker: ChosenBroker;
  readonly routes: readonly object[];
  readonly bridgeToken: string;
  readonly database: DynamoDBClient;
  readonly secrets: Secrets | undefined;
}

async function startOwnBridge(
  { config, broker, routes, bridgeToken, database, secrets }: BridgeWiring,
  log: Logger,
): Promise<Bridge> {
  const parsed = parseConfig({
    broker: broker.document,
    http: { port: 0, token: bridgeToken },
    routes,
    quarantineTable: tableName,
    traceRetentionDays: config.retentionDays,
    commandTable: tableName,
    replayTable: tableName,
    replays: { writeShards: config.writeShards },
    // The broker and the handler are in this process: there is little to wait for.
    drainTimeoutMs: 1500,
  });
  if (!parsed.ok) throw new SettingError(broker.setting, faultsText(parsed.faults));
  await checkBroker(broker, { ...parsed.value.broker, secrets });
  return startBridge(parsed.value, log, {
    database,
    secretStore: secrets,
    backlogOf: broker.embedded?.backlogOf,
  });
}

/**
 * Waits until everything is connected. For a handler nobody waits: it may be away, or have answered 410, for days, and
 * who resumes its route needs the API.
 */
async function waitUntilConnected(bridge: Bridge, setting: SettingName): Promise<void> {
  const deadlineMs = Date.now() + 15_000;
  const problems = () =>
    bridge.status().problems.filter((problem) => !/^route \S+: (holding|disabled): /.test(problem));
  while (problems().length > 0) {
    if (Date.now() > deadlineMs)
      throw new SettingError(setting, `not ready in 15 seconds: ${problems().join('; ')}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Serves an app on loopback; its closer is added to `closers`. */
async function serveApp(
  app: Hono,
  port: number,
  closers: (() => Promise<void>)[],
): Promise<string> {
  const { url, close } = await listen(app, host, port);
  closers.push(close);
  return url;
}
