// Composition root of the api function on Lambda: environment → parts → app → handler.
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { handle } from 'hono/aws-lambda';
import { bridgeTokenOf } from '../contract/secret.ts';
import { createAuthenticate, createTokenAuthenticate } from './access/authentication.ts';
import { createJwtAuthenticate } from './access/jwt.ts';
import { createTokenStore } from './access/tokens.ts';
import { createApi } from './app.ts';
import { createDeliver, createReplay } from './bridge.ts';
import { createCommands } from './commands/service.ts';
import { createDeadLetters } from './dead-letters/store.ts';
import { apiEnvironmentSchema } from './environment.ts';
import { createCursors } from './interface/cursor.ts';
import { createReader } from './messages/reader.ts';

const environment = apiEnvironmentSchema.parse(process.env);
const { MESSAGES_TABLE, WRITE_SHARDS, BRIDGE_URL, INTERNAL_SECRET, REPLY_TOPIC } = environment;
const { CORS_ORIGINS, OIDC_ISSUER, OIDC_AUDIENCE, OIDC_SCOPE_CLAIM, REQUESTS_PER_SECOND } =
  environment;

const database = { client: new DynamoDBClient(), tableName: MESSAGES_TABLE };

const logLine = (fields: Record<string, unknown>) =>
  process.stderr.write(`${JSON.stringify(fields)}\n`);
const onError = (error: Error) => logLine({ level: 'error', error: error.stack });

const bridge = {
  url: BRIDGE_URL,
  token: bridgeTokenOf(INTERNAL_SECRET),
  onFailure: (reason: string) => logLine({ level: 'warn', message: 'bridge', reason }),
};

const jwt =
  OIDC_ISSUER === undefined || OIDC_AUDIENCE === undefined
    ? undefined
    : createJwtAuthenticate({
        issuer: OIDC_ISSUER,
        audience: OIDC_AUDIENCE,
        ...(OIDC_SCOPE_CLAIM !== undefined && { scopeClaim: OIDC_SCOPE_CLAIM }),
      });

export const handler = handle(
  createApi({
    reader: createReader({ ...database, writeShards: WRITE_SHARDS }),
    commands: createCommands({
      ...database,
      deliver: createDeliver(bridge),
      onError,
      ...(REPLY_TOPIC !== undefined && { replyTopic: REPLY_TOPIC }),
    }),
    deadLetters: createDeadLetters({ ...database, replay: createReplay(bridge) }),
    cursors: createCursors(INTERNAL_SECRET),
    authenticate: createAuthenticate({
      tokens: createTokenAuthenticate({ store: createTokenStore(database) }),
      ...(jwt !== undefined && { jwt }),
    }),
    ...(REQUESTS_PER_SECOND !== undefined && {
      rateLimit: { requestsPerSecond: REQUESTS_PER_SECOND },
    }),
    ...(CORS_ORIGINS !== undefined && { corsOrigins: CORS_ORIGINS }),
    onError,
  }),
);
