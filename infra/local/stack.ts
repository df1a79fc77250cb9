// The local stack: broker, database, functions and bridge wired together in one process, in the order they need
// each other, and stopped in the order that loses nothing.
import { randomBytes } from 'node:crypto';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Logger } from 'pino';
import { type ListenOptions, listen, type Served } from '../../bridge/base/listen.ts';
import type { Secrets } from '../../bridge/base/secrets.ts';
import {
  type Bridge,
  SecretsRefused,
  type Surroundings,
  startBridge,
} from '../../bridge/bridge.ts';
import { parseConfig } from '../../bridge/config/config.ts';
import type { Tracing } from '../../bridge/tracing/tracing.ts';
import { faultsText } from '../../functions/contract/parse.ts';
import { pause } from '../../functions/contract/pause.ts';
import type { IngestOptions } from '../../functions/ingest/ingest.ts';
import type { EmbeddedBroker } from '../broker/broker.ts';
import { brokerMetrics } from '../broker/telemetry/metrics.ts';
import { type LocalConfig, type LocalWiring, localBridgeDocument } from './bridge-document.ts';
import { type ChosenBroker, checkBroker, chooseBroker } from './chosen-broker.ts';
import { chooseDatabase } from './chosen-database.ts';
import type { LocalDatabase } from './database.ts';
import { createFront, type Running } from './front.ts';
import { localApi, localIngest } from './functions.ts';
import type { HookRoute } from './hooks.ts';
import { isBeyondMachine } from './hosts.ts';
import { openPublicPort } from './public-port.ts';
import { openSecrets } from './secrets.ts';
import { SettingError, type SettingName } from './setting-error.ts';
import type { Settings } from './settings.ts';
import { announceStack } from './stack-file.ts';

const tableName = 'causeway-messages';
/** The bridge of this process has many batches of up to 6 MB on the way at once. */
const ingestLimits = { maxPartialBodiesBytes: 256 * 1024 * 1024 };

export interface LocalStack {
  readonly apiUrl: string;
  readonly brokerUrl: string;
  /** The same for other clients of this process: it may hold a password, and is not to be shown. */
  readonly ownBrokerUrl: string;
  /** Where the embedded broker listens, if there is one. */
  readonly brokerUrls: readonly string[];
  readonly database: LocalDatabase;
  readonly bridgeUrl: string;
  readonly token: string;
  /** What is wrong now that somebody should know of. */
  conditions(): ReturnType<Bridge['conditions']>;
  /** What was not ready yet, a line for each: handlers that are away, or that have answered 410. */
  readonly problems: readonly string[];
  /** Drains the bridge and stops every part. */
  stop(): Promise<void>;
}

/** What this start has beside the config. */
export interface StackExtras {
  /** Routes of `--hook`. */
  readonly hooks?: readonly HookRoute[];
  readonly onCallOf?: Surroundings['onCallOf'];
  /** Who collects spans; it is closed with the stack. */
  readonly tracing?: Tracing | undefined;
}

/** Starts everything. Rejects with a {@link SettingError} for what the user can mend; stops what it started. */
export async function startStack(
  settings: Settings,
  config: LocalConfig,
  log: Logger,
  { hooks = [], onCallOf, tracing }: StackExtras = {},
): Promise<LocalStack> {
  const token = settings.API_TOKEN ?? randomBytes(24).toString('base64url');
  const bridgeToken = randomBytes(24).toString('base64url');
  const secret = `whsec_${randomBytes(32).toString('base64')}`;
  const closers: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const close of closers.splice(0).reverse()) await close();
  };

  if (tracing !== undefined) closers.push(() => tracing.close());
  const spans =
    tracing && (await import('../../bridge/tracing/server-spans.ts')).serverSpans(tracing);
  const running: Running = { problems: () => ['starting'], metrics: [], api: undefined };

  try {
    if (hooks.length === 0) checkRoutes(settings, config);
    const secrets = openSecrets(settings, config, log);
    const app = createFront(running, operatorTokens(settings, token));
    const front = await openPublicPort(app, settings, log);
    closers.push(front.close);

    const database = await chooseDatabase(settings, tableName, log);
    closers.push(() => database.close());
    const { client } = database;

    const broker = await chooseBroker(settings, config.broker, log);
    const { url: brokerUrl, ownUrl: ownBrokerUrl, embedded } = broker;
    if (embedded !== undefined) {
      closers.push(() => embedded.close());
      const { scrape } = brokerMetrics(embedded.counters, embedded.gauges);
      running.metrics.push(async () => (await scrape()).text);
    }

    const { retentionDays, writeShards } = config;
    const onError = (error: Error) => {
      if (!hasGone(error)) log.error(error, 'a function failed');
    };
    const ingest = localIngest({
      client,
      tableName,
      retentionDays,
      writeShards,
      secret,
      spans,
      push: oneNetPushIn(settings, config),
      onError,
    });
    if (settings.ONENET_PUSH_TOKEN !== undefined) running.push = ingest;
    const ingestUrl = await serveApp(ingest, closers, ingestLimits);

    const bridge = await startOwnBridge(
      {
        config,
        broker,
        hooks,
        webhooks: settings.WEBHOOKS,
        ingestUrl,
        secret,
        bridgeToken,
        database: client,
        folder: settings.DATA_DIR,
        secrets,
        onCallOf,
        tracing,
      },
      log,
    );
    closers.push(() => bridge.drain());
    running.problems = () => [...storageProblems(database, embedded), ...bridge.status().problems];
    running.metrics.push(async () => (await fetch(`${bridge.url}/metrics`)).text());

    const streams = new AbortController();
    running.api = localApi({
      client,
      tableName,
      bridge: { url: bridge.url, token: bridgeToken },
      token,
      spans,
      writeShards,
      brokerRules: broker.rules,
      api: {
        ...config.api,
        callerRequestsPerSecond: settings.REQUESTS_PER_SECOND ?? config.api.callerRequestsPerSecond,
      },
      signal: streams.signal,
      onError,
    });
    closers.push(async () => streams.abort());
    closers.push(
      await announceStack(settings.DATA_DIR, { database: database.reach, table: tableName }),
    );
    await waitUntilConnected(bridge, broker.setting);
    return {
      apiUrl: front.url,
      brokerUrl,
      ownBrokerUrl,
      brokerUrls: embedded?.urls ?? [],
      database,
      bridgeUrl: bridge.url,
      token,
      conditions: () => bridge.conditions(),
      problems: running.problems(),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A caller that has gone before its request was whole is no fault of a function. */
function hasGone(error: Error): boolean {
  const { code, cause } = error as Error & { readonly code?: unknown };
  if (cause instanceof Error && 'code' in cause) return cause.code === 'ERR_STREAM_PREMATURE_CLOSE';
  return code === 'ECONNRESET' && error.message === 'aborted';
}

/** Undefined where no other machine can ask. */
function operatorTokens({ HOST, METRICS_TOKEN }: Settings, token: string): string[] | undefined {
  if (!isBeyondMachine(HOST)) return undefined;
  return [token, ...(METRICS_TOKEN === undefined ? [] : [METRICS_TOKEN])];
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

/** A line for each part that can keep nothing. */
function storageProblems(
  database: LocalDatabase,
  broker: Pick<EmbeddedBroker, 'trouble'> | undefined,
): string[] {
  const troubles = { database: database.trouble(), broker: broker?.trouble() };
  return Object.entries(troubles).flatMap(([part, reason]) =>
    reason === undefined ? [] : [`${part}: nothing can be stored: ${reason}`],
  );
}

interface OwnBridge
  extends Pick<LocalWiring, 'webhooks' | 'ingestUrl' | 'secret' | 'bridgeToken' | 'folder'> {
  readonly config: LocalConfig;
  readonly broker: ChosenBroker;
  readonly database: DynamoDBClient;
  readonly secrets: Secrets | undefined;
  readonly hooks: readonly HookRoute[];
  readonly onCallOf: Surroundings['onCallOf'];
  readonly tracing: Surroundings['tracing'];
}

async function startOwnBridge(
  { config, broker, hooks, database, secrets, onCallOf, tracing, ...wiring }: OwnBridge,
  log: Logger,
): Promise<Bridge> {
  const parsed = parseConfig(
    localBridgeDocument(config, {
      ...wiring,
      broker: broker.document,
      isEmbedded: broker.embedded !== undefined,
      ownRoutes: hooks.map(({ document }) => document),
      tableName,
    }),
  );
  if (!parsed.ok) throw new SettingError(broker.setting, faultsText(parsed.faults));
  await checkBroker(broker, { ...parsed.value.broker, secrets });
  return startBridge(parsed.value, log, {
    database,
    secretStore: secrets,
    backlogOf: broker.embedded?.backlogOf,
    onCallOf,
    tracing,
    brokerRules: broker.rules,
  }).catch((error) => {
    if (error instanceof SecretsRefused) throw new SettingError('SECRETS_FILE', error.message);
    throw error;
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
    await pause(20);
  }
}

/** Serves an app on a free port of loopback; its closer is added to `closers`. */
async function serveApp(
  app: Served,
  closers: (() => Promise<void>)[],
  options: ListenOptions = {},
): Promise<string> {
  const { url, close } = await listen(app, '127.0.0.1', 0, options);
  closers.push(close);
  return url;
}
