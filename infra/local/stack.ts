// The local stack: broker, database, functions and bridge wired together in one process, in the order they need
// each other, and stopped in the order that loses nothing.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { Hono } from 'hono';
import type { Logger } from 'pino';
import { type Bridge, startBridge } from '../../bridge/bridge.ts';
import { connectOnce } from '../../bridge/broker/connection.ts';
import { parseConfig, publicUrl } from '../../bridge/config.ts';
import { listen } from '../../bridge/listen.ts';
import { faultsText } from '../../functions/contract/parse.ts';
import type { CausewayConfig } from '../config.ts';
import { type EmbeddedBroker, startBroker } from './broker/broker.ts';
import { createMessagesTable, localClient, startDatabase } from './database.ts';
import { localApi, localIngest } from './functions.ts';
import { localRoutes } from './routes.ts';
import type { Settings } from './settings.ts';
import { announceStack } from './stack-file.ts';

const host = '127.0.0.1';
const tableName = 'causeway-messages';

/** A setting that cannot be used, in one line that names it. */
export class SettingError extends Error {
  readonly code = 'SETTING';

  constructor(setting: keyof Settings | 'causeway.config.ts', problem: string, cause?: unknown) {
    super(`${setting}: ${problem}`, { cause });
    this.name = 'SettingError';
  }
}

export interface LocalStack {
  readonly apiUrl: string;
  readonly brokerUrl: string;
  readonly databaseUrl: string;
  readonly bridgeUrl: string;
  readonly token: string;
  /** Drains the bridge and stops every part. */
  stop(): Promise<void>;
}

/** What of the config has a meaning on one machine. */
export type LocalConfig = Pick<
  CausewayConfig,
  'broker' | 'routes' | 'retentionDays' | 'writeShards' | 'api'
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

  // The port answers from the start, so that readiness can be asked for while the parts come up.
  let readiness: () => readonly string[] = () => ['starting'];
  let api: ReturnType<typeof localApi> | undefined;
  const front = new Hono();
  front.get('/readyz', (context) => {
    const problems = readiness();
    return context.json(
      { status: problems.length === 0 ? 'ready' : 'not ready', problems },
      problems.length === 0 ? 200 : 503,
    );
  });
  front.all(
    '*',
    (context) =>
      api?.fetch(context.req.raw, context.env) ?? context.json({ status: 'starting' }, 503),
  );

  try {
    if (config.routes.every(({ handler }) => handler !== undefined))
      throw new SettingError('causeway.config.ts', 'routes: none of them stores its messages');
    const apiUrl = await serveApp(front, settings.PORT, closers).catch((error) => {
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

    const broker = settings.BROKER_URL === undefined ? await startOwnBroker(settings) : undefined;
    if (broker !== undefined) closers.push(() => broker.close());
    const brokerUrl = settings.BROKER_URL ?? `mqtt://${host}:${broker?.port}`;

    const { retentionDays, writeShards } = config;
    const onError = (error: Error) => log.error(error, 'a function failed');
    const ingest = localIngest({
      client,
      tableName,
      retentionDays,
      writeShards,
      secret,
      onError,
    });
    const ingestUrl = await serveApp(ingest, 0, closers);

    const bridge = await startOwnBridge(
      {
        brokerUrl,
        routes: localRoutes(config, { ingestUrl, secret }),
        bridgeToken,
        database: client,
      },
      log,
    );
    closers.push(() => bridge.drain());
    readiness = () => bridge.status().problems;

    api = localApi({
      client,
      tableName,
      bridge: { url: bridge.url, token: bridgeToken },
      token,
      writeShards,
      api: {
        ...config.api,
        callerRequestsPerSecond: settings.REQUESTS_PER_SECOND ?? config.api.callerRequestsPerSecond,
      },
      onError,
    });
    closers.push(await announceStack(settings.DATA_DIR, { databaseUrl, table: tableName }));
    await waitUntilReady(bridge);
    return { apiUrl, brokerUrl, databaseUrl, bridgeUrl: bridge.url, token, stop };
  } catch (error) {
    await stop();
    throw error;
  }
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

async function startOwnBroker(settings: Settings): Promise<EmbeddedBroker> {
  try {
    return await startBroker({
      host,
      port: settings.MQTT_PORT,
      folder: join(settings.DATA_DIR, 'broker'),
    });
  } catch (error) {
    const isPort = error instanceof Error && 'syscall' in error && error.syscall === 'listen';
    throw isPort ? portError('MQTT_PORT', settings.MQTT_PORT, error) : folderError(settings, error);
  }
}

interface BridgeWiring {
  readonly brokerUrl: string;
  readonly routes: readonly object[];
  readonly bridgeToken: string;
  readonly database: DynamoDBClient;
}

async function startOwnBridge(
  { brokerUrl, routes, bridgeToken, database }: BridgeWiring,
  log: Logger,
): Promise<Bridge> {
  const { username, password } = new URL(brokerUrl);
  const config = parseConfig({
    broker: {
      url: brokerUrl,
      ...(username !== '' && { username: decodeURIComponent(username) }),
      ...(password !== '' && { password: decodeURIComponent(password) }),
    },
    http: { port: 0, token: bridgeToken },
    routes,
    quarantineTable: tableName,
    commandTable: tableName,
    // The broker and the handler are in this process: there is little to wait for.
    drainTimeoutMs: 1500,
  });
  if (!config.ok) throw new SettingError('BROKER_URL', faultsText(config.faults));
  const trial = await tryBroker(config.value.broker);
  if (trial !== undefined) {
    throw new SettingError(
      'BROKER_URL',
      `the broker at ${publicUrl(brokerUrl)} cannot be reached: ${trial}`,
    );
  }
  return startBridge(config.value, log, database);
}

/** Why the broker cannot be used, or undefined. The bridge itself would wait for it for ever. */
async function tryBroker(
  broker: Parameters<typeof connectOnce>[0]['broker'],
): Promise<string | undefined> {
  for (const version of [5, 4] as const) {
    const clientId = `${broker.clientIdPrefix}-trial-${randomBytes(4).toString('hex')}`;
    const outcome = await connectOnce({ broker, clientId, clean: true }, version);
    if (outcome.kind === 'connected') {
      outcome.link.client.end();
      await outcome.link.closed;
      return undefined;
    }
    if (outcome.kind === 'unreachable' || version === 4) return outcome.reason;
  }
  return undefined;
}

async function waitUntilReady(bridge: Bridge): Promise<void> {
  const deadlineMs = Date.now() + 15_000;
  while (!bridge.status().ready) {
    if (Date.now() > deadlineMs)
      throw new Error(`not ready in 15 seconds: ${bridge.status().problems.join('; ')}`);
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

function portError(setting: 'PORT' | 'MQTT_PORT', port: number, error: unknown): Error {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE')
    return new SettingError(setting, `port ${port} is taken; choose another`, error);
  if (code === 'EACCES')
    return new SettingError(setting, `port ${port} may not be used by this user`, error);
  return new SettingError(setting, error instanceof Error ? error.message : String(error), error);
}

function folderError(settings: Settings, error: unknown): Error {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'LEVEL_LOCKED') {
    return new SettingError('DATA_DIR', `${settings.DATA_DIR} is in use by another process`, error);
  }
  return new SettingError(
    'DATA_DIR',
    cause instanceof Error ? cause.message : String(cause),
    error,
  );
}
