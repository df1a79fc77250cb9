// Composition root of the ingest function on Lambda: environment → client → store → app → handler.
import { handle } from 'hono/aws-lambda';
import { createFeedWriter } from '../feed/feed-writer.ts';
import { watchCheckMs } from '../feed/watch.ts';
import { createTableClient } from '../table/client.ts';
import { followTableClock } from '../table/table-clock.ts';
import { ingestEnvironmentSchema, oneNetPushOf } from './environment.ts';
import { createIngest } from './ingest.ts';
import { createStore } from './storing/message-store.ts';

const environment = ingestEnvironmentSchema.parse(process.env);

const client = createTableClient();
const database = { client, tableName: environment.MESSAGES_TABLE };

const tableNow = followTableClock(client);

const store = createStore({
  ...database,
  retentionDays: environment.RETENTION_DAYS,
  writeShards: environment.WRITE_SHARDS,
  tableNow,
  note: createFeedWriter({ ...database, checkMs: watchCheckMs, tableNow }),
});

const onenet = oneNetPushOf(environment);
// Loaded where a platform pushes: most deployments have no use for it.
const memory =
  onenet &&
  (await import('./push/memory.ts')).createPushMemory({
    ...database,
    days: environment.RETENTION_DAYS,
  });

export const handler = handle(
  createIngest({
    store,
    push: { onenet, memory },
    onError: (error) =>
      process.stderr.write(`${JSON.stringify({ level: 'error', error: error.stack })}\n`),
  }),
);
