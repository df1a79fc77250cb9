// The database of the local stack: an embedded dynalite or a given endpoint, and the tables in it.
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import {
  CreateTableCommand,
  type DynamoDBClient,
  ResourceInUseException,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import dynalite from 'dynalite';
import { Level } from 'level';
import { messagesTable } from '../../functions/contract/item.ts';
import { createClient } from '../../functions/ingest/client.ts';

export interface EmbeddedDatabase {
  readonly endpoint: string;
  close(): Promise<void>;
}

/** Starts dynalite on a free port of loopback, its data in `folder`. Rejects where that is in use. */
export async function startDatabase(folder: string): Promise<EmbeddedDatabase> {
  mkdirSync(folder, { recursive: true });
  // dynalite would answer every call with a 500 if the folder is locked; opening it first says so at once.
  const probe = new Level(folder);
  await probe.open();
  await probe.close();
  const server = dynalite({ path: folder, createTableMs: 0 });
  const untilAnswered = answersOf(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    async close() {
      await untilAnswered();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

const closingMs = 2000;

/**
 * Waits, two seconds at most, until every request has its answer: dynalite works on for a caller that has gone, and
 * throws where nobody catches it when its store is closed by then.
 */
function answersOf(server: Server): () => Promise<void> {
  const open = new Set<ServerResponse>();
  server.on('request', (_request, response: ServerResponse) => {
    open.add(response);
    // The answer to a caller that has gone ends without being sent.
    response.once('close', () => response.writableEnded && open.delete(response));
  });
  return async () => {
    const deadlineMs = Date.now() + closingMs;
    while ([...open].some(({ writableEnded }) => !writableEnded) && Date.now() < deadlineMs)
      await delay(10);
  };
}

/** A client of a local endpoint, which takes any credentials and wants some. */
export function localClient(endpoint: string): DynamoDBClient {
  return createClient({
    endpoint,
    region: 'local',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
}

/** Creates the messages table where it is missing. */
export async function createMessagesTable(
  client: DynamoDBClient,
  tableName: string,
): Promise<void> {
  const { partitionKey, sortKey } = messagesTable;
  try {
    await client.send(
      new CreateTableCommand({
        TableName: tableName,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [
          { AttributeName: partitionKey, AttributeType: 'S' },
          { AttributeName: sortKey, AttributeType: 'S' },
        ],
        KeySchema: [
          { AttributeName: partitionKey, KeyType: 'HASH' },
          { AttributeName: sortKey, KeyType: 'RANGE' },
        ],
      }),
    );
  } catch (error) {
    if (!(error instanceof ResourceInUseException)) throw error;
  }
  await waitUntilTableExists(
    { client, maxWaitTime: 30, minDelay: 1, maxDelay: 1 },
    { TableName: tableName },
  );
}
