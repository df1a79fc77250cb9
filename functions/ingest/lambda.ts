// Composition root of the ingest function on Lambda: environment → client → store → app → handler.
import { handle } from 'hono/aws-lambda';
import * as z from 'zod';
import { createIngest } from './app.ts';
import { createClient } from './client.ts';
import { createStore } from './store.ts';

const environment = z
  .object({
    MESSAGES_TABLE: z.string().min(1),
    RETENTION_DAYS: z.coerce.number().int().min(1).default(30),
  })
  .parse(process.env);

const store = createStore({
  client: createClient(),
  tableName: environment.MESSAGES_TABLE,
  retentionDays: environment.RETENTION_DAYS,
});

export const handler = handle(
  createIngest({
    store,
    onError: (error) =>
      process.stderr.write(`${JSON.stringify({ level: 'error', error: error.stack })}\n`),
  }),
);
