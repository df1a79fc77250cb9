// Composition root of the api function on Lambda: environment → parts → app → handler.

import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { handle } from 'hono/aws-lambda';
import { bridgeTokenOf } from '../contract/secret.ts';
import { createAuthenticate, createTokenAuthenticate } from './access/authentication.ts';
import { createJwtAuthenticate } from './access/jwt.ts';
import { createTokenStore } from './access/tokens.ts';
import { createApi } from './app.ts';
import { createEndpoints } from './endpoints.ts';
import { apiEnvironmentSchema } from './environment.ts';

const environment = apiEnvironmentSchema.parse(process.env);
const { MESSAGES_TABLE, WRITE_SHARDS, BRIDGE_URL, INTERNAL_SECRET, REPLY_TOPIC } = environment;
const {
  BROKER_RULES,
  CORS_ORIGINS,
  OIDC_ISSUER,
  OIDC_AUDIENCE,
  OIDC_SCOPE_CLAIM,
  REQUESTS_PER_SECOND,
} = environment;

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
    endpoints: createEndpoints({
      client: new DynamoDBClient(),
      tableName: MESSAGES_TABLE,
      writeShards: WRITE_SHARDS,
      bridge,
      cursorSecret: INTERNAL_SECRET,
      replyTopic: REPLY_TOPIC,
      brokerRules: BROKER_RULES,
      onError,
    }),
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
