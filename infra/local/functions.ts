// The functions of the local stack: the same apps as on Lambda, put together for one process.

import { randomBytes } from 'node:crypto';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  createAuthenticate,
  createTokenAuthenticate,
  staticToken,
} from '../../functions/api/access/authentication.ts';
import { createJwtAuthenticate } from '../../functions/api/access/jwt.ts';
import { createTokenStore } from '../../functions/api/access/tokens.ts';
import { createApi } from '../../functions/api/app.ts';
import { createEndpoints } from '../../functions/api/endpoints.ts';
import type { BrokerRules } from '../../functions/contract/broker-rules.ts';
import { createIngest, type IngestOptions } from '../../functions/ingest/app.ts';
import { createStore } from '../../functions/ingest/store.ts';
import type { CausewayConfig } from '../config.ts';

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
  readonly onError: (error: Error) => void;
}

export function localIngest({ secret, push, onError, ...database }: LocalIngestOptions) {
  return createIngest({ store: createStore(database), secret, ...(push && { push }), onError });
}

export interface LocalApiOptions extends Database {
  readonly bridge: { readonly url: string; readonly token: string };
  /** Token that may do everything, beside those of the table. */
  readonly token: string;
  readonly api: CausewayConfig['api'];
  /** What the broker does not take; the rules of MQTT alone by default. */
  readonly brokerRules?: BrokerRules | undefined;
  readonly onError: (error: Error) => void;
}

export function localApi(options: LocalApiOptions) {
  const { bridge, token, api, brokerRules, onError, client, tableName, writeShards } = options;
  const { replyTopic, oidc, corsOrigins, callerRequestsPerSecond } = api;
  const database = { client, tableName };
  return createApi({
    endpoints: createEndpoints({
      ...database,
      writeShards,
      bridge,
      cursorSecret: randomBytes(32).toString('base64'),
      replyTopic,
      brokerRules,
      onError,
    }),
    authenticate: createAuthenticate({
      fixed: staticToken(token),
      tokens: createTokenAuthenticate({ store: createTokenStore(database) }),
      ...(oidc !== undefined && { jwt: createJwtAuthenticate(oidc) }),
    }),
    rateLimit: { requestsPerSecond: callerRequestsPerSecond },
    corsOrigins,
    onError,
  });
}
