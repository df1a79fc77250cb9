// A messages table for tests: in an embedded database of its own, or in the run's DynamoDB Local.
import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { DeleteTableCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { inject } from 'vitest';
import { serveDatabase } from '../../infra/database/server.ts';
import { createMessagesTable, createTable, localClient } from '../../infra/local/database.ts';
import { openDatabase } from '../infra/database/engines.ts';
import { variantsOf } from './matrix.ts';
import { dynamoDbLocalEndpoint } from './started-once.ts';

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

const hasJava = inject('hasJava');
const needsJava = '(needs Java 17: apt-get install openjdk-17-jre-headless)';

const embedded: Engine = { name: 'embedded', available: true, start: startEmbedded };

export const dynamoDbLocal: Engine = {
  name: `DynamoDB Local ${hasJava ? '' : needsJava}`.trim(),
  available: hasJava,
  start: startInDynamoDbLocal,
};

/** All databases: for the suites that hold them to the same answers, and those of the few things that rest on the answers alone. */
export const everyEngine: readonly Engine[] = [embedded, dynamoDbLocal];

/** The databases that a suite runs against: all of them in `npm run matrix`. */
export const engines = variantsOf(everyEngine);

export function startTable(engine = embedded): Promise<TestTable> {
  return engine.start();
}

async function startEmbedded(): Promise<TestTable> {
  const { database, client, close } = await openDatabase();
  await createMessagesTable(client, 'messages');
  const server = await serveDatabase(database, { host: '127.0.0.1', port: 0 });
  return {
    client,
    tableName: 'messages',
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.close();
      server.closeAllConnections();
      await close();
    },
  };
}

async function startInDynamoDbLocal(): Promise<TestTable> {
  const endpoint = await dynamoDbLocalEndpoint();
  const client = localClient(endpoint);
  const tableName = `messages-${randomUUID()}`;
  // DynamoDB takes up to days to delete what has expired, DynamoDB Local seconds: tests look at expired items.
  await createTable(client, tableName);
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
