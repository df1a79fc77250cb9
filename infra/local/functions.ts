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
import { createDeliver, createReplay } from '../../functions/api/bridge.ts';
import { createCommands } from '../../functions/api/commands/service.ts';
import { createDeadLetters } from '../../functions/api/dead-letters/store.ts';
import { createCursors } from '../../functions/api/interface/cursor.ts';
import { createReader } from '../../functions/api/messages/reader.ts';
import { createIngest } from '../../functions/ingest/app.ts';
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
  readonly onError: (error: Error) => void;
}

export function localIngest({ secret, onError, ...database }: LocalIngestOptions) {
  return createIngest({ store: createStore(database), secret, onError });
}

export interface LocalApiOptions extends Database {
  readonly bridge: { readonly url: string; readonly token: string };
  /** Token that may do everything, beside those of the table. */
  readonly token: string;
  readonly api: CausewayConfig['api'];
  readonly onError: (error: Error) => void;
}

export function localApi(options: LocalApiOptions) {
  const { bridge, token, api, onError, client, tableName, writeShards } = options;
  const { replyTopic, oidc, corsOrigins, callerRequestsPerSecond } = api;
  const database = { client, tableName };
  return createApi({
    reader: createReader({ ...database, writeShards }),
    commands: createCommands({
      ...database,
      deliver: createDeliver(bridge),
      onError,
      ...(replyTopic !== undefined && { replyTopic }),
    }),
    deadLetters: createDeadLetters({ ...database, replay: createReplay(bridge) }),
    cursors: createCursors(randomBytes(32).toString('base64')),
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
