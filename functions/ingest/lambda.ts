// Composition root of the ingest function on Lambda: environment → client → store → app → handler.
import { handle } from 'hono/aws-lambda';
import { createIngest } from './app.ts';
import { createClient } from './client.ts';
import { ingestEnvironmentSchema, oneNetPushOf } from './environment.ts';
import { createStore } from './store.ts';

const environment = ingestEnvironmentSchema.parse(process.env);

const store = createStore({
  client: createClient(),
  tableName: environment.MESSAGES_TABLE,
  retentionDays: environment.RETENTION_DAYS,
  writeShards: environment.WRITE_SHARDS,
});

export const handler = handle(
  createIngest({
    store,
    push: { onenet: oneNetPushOf(environment) },
    onError: (error) =>
      process.stderr.write(`${JSON.stringify({ level: 'error', error: error.stack })}\n`),
  }),
);
