// Composition root of the api function on Lambda: environment → parts → app → handler.
import { fileURLToPath } from 'node:url';
import { handle } from 'hono/aws-lambda';
import { watchCheckMs } from '../feed/watch.ts';
import { createTableClient, shortAttemptTimeoutMs } from '../table/client.ts';
import { takeInTable } from './access/allowance-table.ts';
import { createAuthenticate, createTokenAuthenticate } from './access/authentication.ts';
import { secretInTable } from './access/cursor-secret.ts';
import { createJwtAuthenticate } from './access/jwt.ts';
import { createAllowances } from './access/spending.ts';
import { createTokenStore } from './access/tokens.ts';
import { createApi } from './api.ts';
import { bridgesInTable } from './bridge-client/bridges.ts';
import { readConsole, signInOf } from './console-files.ts';
import { createEndpoints } from './endpoints.ts';
import { apiEnvironmentSchema } from './environment.ts';

const environment = apiEnvironmentSchema.parse(process.env);
const { MESSAGES_TABLE, WRITE_SHARDS, REPLY_TOPIC } = environment;
const { BROKER_RULES, LIMITS, CORS_ORIGINS } = environment;
const { OIDC_ISSUER, OIDC_AUDIENCE, OIDC_SCOPE_CLAIM, OIDC_CLIENT_ID, OIDC_SCOPES } = environment;

const database = {
  client: createTableClient({ attemptTimeoutMs: shortAttemptTimeoutMs }),
  tableName: MESSAGES_TABLE,
};

const logLine = (fields: Record<string, unknown>) =>
  process.stderr.write(`${JSON.stringify(fields)}\n`);
const onError = (error: Error) => logLine({ level: 'error', error: error.stack });

const bridge = {
  bridges: bridgesInTable(database),
  onFailure: (reason: string) => logLine({ level: 'warn', message: 'bridge', reason }),
};

/** The console's files are beside this one, where infra/bundle puts them. */
const consoleFolder = fileURLToPath(new URL('console/', import.meta.url));

const oidc =
  OIDC_ISSUER === undefined || OIDC_AUDIENCE === undefined
    ? undefined
    : {
        issuer: OIDC_ISSUER,
        audience: OIDC_AUDIENCE,
        scopes: OIDC_SCOPES,
        ...(OIDC_SCOPE_CLAIM !== undefined && { scopeClaim: OIDC_SCOPE_CLAIM }),
        ...(OIDC_CLIENT_ID !== undefined && { clientId: OIDC_CLIENT_ID }),
      };

export const handler = handle(
  createApi({
    endpoints: createEndpoints({
      ...database,
      writeShards: WRITE_SHARDS,
      bridge,
      cursorSecret: secretInTable(database),
      replyTopic: REPLY_TOPIC,
      brokerRules: BROKER_RULES,
      // An HTTP API hands over whole answers.
      live: { streams: false, checkMs: watchCheckMs },
      onError,
    }),
    authenticate: createAuthenticate({
      tokens: createTokenAuthenticate({ store: createTokenStore(database) }),
      ...(oidc !== undefined && { jwt: createJwtAuthenticate(oidc) }),
    }),
    rateLimit: { requestsPerSecond: LIMITS.callerRequestsPerSecond },
    compresses: true,
    allowances: createAllowances(LIMITS, takeInTable(database.client, database.tableName)),
    console: () => readConsole(consoleFolder),
    signIn: signInOf(oidc),
    ...(CORS_ORIGINS !== undefined && { corsOrigins: CORS_ORIGINS }),
    onError,
  }),
);
