// A messages table for tests: in an in-memory dynalite of its own, or in the run's DynamoDB Local.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { DeleteTableCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import dynalite from 'dynalite';
import { inject } from 'vitest';
import { createMessagesTable, localClient } from '../../infra/local/database.ts';

export interface TestTable {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  readonly endpoint: string;
  close(): Promise<void>;
}

/** A database that a suite can run against. */
export interface Engine {
  readonly name: string;
  readonly available: boolean;
  start(): Promise<TestTable>;
}

const hasJava = inject('dynamoDbLocal') !== undefined;
const needsJava = '(needs Java 17: apt-get install openjdk-17-jre-headless)';

const embedded: Engine = { name: 'dynalite', available: true, start: startDynalite };

/** The databases that a suite runs against. */
export const engines: readonly Engine[] = [
  embedded,
  {
    name: `DynamoDB Local ${hasJava ? '' : needsJava}`.trim(),
    available: hasJava,
    start: startInDynamoDbLocal,
  },
];

export function startTable(engine = embedded): Promise<TestTable> {
  return engine.start();
}

async function startDynalite(): Promise<TestTable> {
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

async function startInDynamoDbLocal(): Promise<TestTable> {
  const starter = inject('dynamoDbLocal');
  if (starter === undefined) throw new Error(`no DynamoDB Local ${needsJava}`);
  const response = await fetch(starter);
  const endpoint = await response.text();
  if (!response.ok) throw new Error(endpoint);
  const client = localClient(endpoint);
  const tableName = `messages-${randomUUID()}`;
  await createMessagesTable(client, tableName);
  return {
    client,
    tableName,
    endpoint,
    async close() {
      await client.send(new DeleteTableCommand({ TableName: tableName }));
      client.destroy();
    },
  };
}

/** A client of the same database, whose calls of one command fail as if nobody answered. */
export function clientWithout(table: TestTable, failing: string): DynamoDBClient {
  const client = localClient(table.endpoint);
  client.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        if (commandName === failing) throw new Error('no answer');
        return next(args);
      },
    { step: 'initialize' },
  );
  return client;
}
