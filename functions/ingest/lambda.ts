// Composition root of the ingest function on Lambda: environment → client → store → handler. The bridge invokes it with
// batches; what platforms push comes over HTTP.
import type { LambdaContext, LambdaEvent } from 'hono/aws-lambda';
import { createFeedWriter } from '../feed/feed-writer.ts';
import { watchCheckMs } from '../feed/watch.ts';
import { createTableClient } from '../table/client.ts';
import { followTableClock } from '../table/table-clock.ts';
import { ingestEnvironmentSchema, oneNetPushOf } from './environment.ts';
import { createInvoked } from './invoked.ts';
import type { OneNetPushOptions } from './push/onenet.ts';
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

const onError = (error: Error) =>
  process.stderr.write(`${JSON.stringify({ level: 'error', error: error.stack })}\n`);
const invoked = createInvoked({ store, onError });
const onenet = oneNetPushOf(environment);
const overHttp = onenet && (await httpHandler(onenet));

export const handler = async (event: LambdaEvent, context: LambdaContext) => {
  const answer = invoked(event) ?? overHttp?.(event, context);
  if (answer === undefined) throw new TypeError('the event has no batch');
  return answer;
};

/** For pushes. Loaded where a platform does that: most deployments have no use for it. */
async function httpHandler(push: OneNetPushOptions) {
  const [{ handle }, { createIngest }, { createPushMemory }] = await Promise.all([
    import('hono/aws-lambda'),
    import('./ingest.ts'),
    import('./push/memory.ts'),
  ]);
  const memory = createPushMemory({ ...database, days: environment.RETENTION_DAYS });
  return handle(createIngest({ store, push: { onenet: push, memory }, onError }));
}
