// The SDK's client of an embedded database: its commands go to the database as they are, with no request made of them.
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { createTableClient } from '../../functions/table/client.ts';
import type { Database } from './database.ts';

/** A client whose calls the database in this process answers. The database outlives it. */
export function embeddedClient(database: Pick<Database, 'call'>): DynamoDBClient {
  const client = createTableClient({
    region: 'local',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  client.middlewareStack.add(
    (_next, { commandName = '' }) =>
      async ({ input }) => ({
        response: {},
        output: {
          $metadata: {},
          ...(await database.call(commandName.replace(/Command$/, ''), input)),
        },
      }),
    { name: 'embeddedDatabase', step: 'initialize', priority: 'low' },
  );
  return client;
}
