// The functions of the local stack: the same apps as on Lambda, put together for one process.

import { randomBytes } from 'node:crypto';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Served } from '../../bridge/base/listen.ts';
import type { ServerSpans } from '../../bridge/tracing/server-spans.ts';
import { takeInMemory } from '../../functions/api/access/allowance.ts';
import {
  createAuthenticate,
  createTokenAuthenticate,
  staticToken,
} from '../../functions/api/access/authentication.ts';
import { createJwtAuthenticate } from '../../functions/api/access/jwt.ts';
import { createAllowances } from '../../functions/api/access/spending.ts';
import { createTokenStore } from '../../functions/api/access/tokens.ts';
import { createApi } from '../../functions/api/api.ts';
import { oneBridge } from '../../functions/api/bridge-client/bridges.ts';
import { signInOf } from '../../functions/api/console-files.ts';
import { createEndpoints } from '../../functions/api/endpoints.ts';
import type { BrokerRules } from '../../functions/contract/broker-rules.ts';
import { createFeedWriter } from '../../functions/feed/feed-writer.ts';
import { createIngest, type IngestOptions } from '../../functions/ingest/ingest.ts';
import { createPushMemory } from '../../functions/ingest/push/memory.ts';
import { createStore } from '../../functions/ingest/storing/message-store.ts';
import type { CausewayConfig } from '../config/config.ts';
import { loadConsole } from './console.ts';

/** How often ingest looks whether somebody watches; nobody pays for it. */
const localCheckMs = 250;

interface Database {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  readonly writeShards: number;
}

export interface LocalIngestOptions extends Database {
  readonly retentionDays: number;
  /** Standard Webhooks secret that the bridge signs with. */
  readonly secret: string;
  readonly push: IngestOptions['push'];
  /** Absent where no spans are collected. */
  readonly spans?: ServerSpans | undefined;
  readonly onError: (error: Error) => void;
}

export function localIngest({
  secret,
  push,
  spans,
  onError,
  ...database
}: LocalIngestOptions): Served {
  const memory = createPushMemory({ ...database, days: database.retentionDays });
  const store = createStore({
    ...database,
    note: createFeedWriter({ ...database, checkMs: localCheckMs, tableNow: Date.now }),
  });
  const ingest = createIngest({
    store:
      spans === undefined
        ? store
        : { ...store, put: (...batch) => spans.doing('store', () => store.put(...batch)) },
    secret,
    push: { ...push, memory },
    onError,
  });
  return spans === undefined ? ingest : { fetch: spans.serving('ingest', ingest.fetch) };
}

export interface LocalApiOptions extends Database {
  readonly bridge: { readonly url: string; readonly token: string };
  /** Token that may do everything, beside those of the table. */
  readonly token: string;
  readonly api: CausewayConfig['api'];
  /** Absent where no spans are collected. */
  readonly spans?: ServerSpans | undefined;
  /** What the broker does not take; the rules of MQTT alone by default. */
  readonly brokerRules?: BrokerRules | undefined;
  /** Ends the answers that stay open, before the database goes. Default never. */
  readonly signal?: AbortSignal | undefined;
  readonly onError: (error: Error) => void;
}

/** One process, and nobody pays for reads and writes: what callers may spend is what the machine can bear. */
const localLimits = {
  callerCommandsPerSecond: 5000,
  callerReadUnitsPerSecond: 50_000,
  callerWaitingRequests: 500,
  waitingRequests: 1000,
};

export function localApi(options: LocalApiOptions): Served {
  const { bridge, token, api, brokerRules, spans, signal, onError } = options;
  const { client, tableName, writeShards } = options;
  const { replyTopic, oidc, corsOrigins, callerRequestsPerSecond } = api;
  const database = { client, tableName };
  const served = createApi({
    endpoints: createEndpoints({
      ...database,
      writeShards,
      bridge: { bridges: oneBridge(bridge) },
      cursorSecret: randomBytes(32).toString('base64'),
      replyTopic,
      brokerRules,
      live: { streams: true, checkMs: localCheckMs, signal },
      onError,
    }),
    authenticate: createAuthenticate({
      fixed: staticToken(token),
      tokens: createTokenAuthenticate({ store: createTokenStore(database) }),
      ...(oidc !== undefined && { jwt: createJwtAuthenticate(oidc) }),
    }),
    rateLimit: { requestsPerSecond: callerRequestsPerSecond },
    allowances: createAllowances(localLimits, takeInMemory()),
    corsOrigins,
    console: loadConsole,
    signIn: signInOf(oidc),
    onError,
  });
  return spans === undefined ? served : { fetch: spans.serving('api', served.fetch) };
}
