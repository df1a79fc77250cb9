// A messages table in an in-memory dynalite, for tests.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import dynalite from 'dynalite';
import { createMessagesTable, localClient } from '../../infra/local/database.ts';

export interface TestTable {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  readonly endpoint: string;
  close(): Promise<void>;
}

export async function startTable(): Promise<TestTable> {
  const server = dynalite({ createTableMs: 0 });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = localClient(endpoint);
  await createMessagesTable(client, 'messages');
  return {
    client,
    tableName: 'messages',
    endpoint,
    async close() {
      client.destroy();
      server.close();
      server.closeAllConnections();
    },
  };
}
