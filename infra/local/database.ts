// The database of the local stack: the embedded one or a given endpoint, the table in it, and how other processes of
// the same user reach it.
import { chmodSync, rmSync } from 'node:fs';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateTableCommand,
  DescribeTimeToLiveCommand,
  type DynamoDBClient,
  ResourceInUseException,
  UpdateTimeToLiveCommand,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import type { Logger } from 'pino';
import { createTableClient } from '../../functions/table/client.ts';
import { messagesTable } from '../../functions/table/item.ts';
import { embeddedClient } from '../database/client.ts';
import { Database } from '../database/database.ts';
import { serveDatabase, socketHandler } from '../database/server.ts';
import { levelDbNames, makePrivate } from '../level/private-folder.ts';
import { adoptOlderDatabase } from './older-database.ts';
import type { RunningStack } from './stack-file.ts';

export interface LocalDatabase {
  readonly client: DynamoDBClient;
  /** How other processes of this user reach it. */
  readonly reach: RunningStack['database'];
  /** Where it is, for people. */
  readonly where: string;
  /** Why nothing can be stored at the moment; undefined where all is well, or another program knows. */
  trouble(): string | undefined;
  close(): Promise<void>;
}

export interface EmbeddedDatabaseOptions {
  /** Where the data of this machine are kept. */
  readonly dataFolder: string;
  /** The table that is moved from the database of an older version, where there is one. */
  readonly tableName: string;
  /** Writes survive a power cut, too (fsync). */
  readonly syncWrites: boolean;
  readonly log?: Logger | undefined;
}

/** The embedded database's part of the data folder. */
export const databaseFolder = 'table';
export const databaseSocket = 'database.sock';

/** Opens the embedded database. Rejects where another process has it. */
export async function openEmbeddedDatabase({
  dataFolder,
  tableName,
  syncWrites,
  log,
}: EmbeddedDatabaseOptions): Promise<LocalDatabase> {
  const folder = join(dataFolder, databaseFolder);
  makePrivate(folder, levelDbNames);
  const database = await Database.open({ folder, syncWrites, log });
  const client = embeddedClient(database);
  await createMessagesTable(client, tableName);
  await adoptOlderDatabase({ dataFolder, client, tableName });
  const { path: socket, remove: removeSocketFolder } = await socketPlace(dataFolder);
  // The folder is ours alone, and so nobody listens there: one that was killed has left it.
  rmSync(socket, { force: true });
  const server = await serveDatabase(database, { path: socket });
  if (process.platform !== 'win32') chmodSync(socket, 0o600);
  return {
    client,
    reach: { socket },
    where: `${folder} (${megabytes(await folderBytes(folder))})`,
    trouble: () => database.trouble,
    async close() {
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
      await removeSocketFolder();
      client.destroy();
      await database.close();
    },
  };
}

/** The database at an endpoint; it may be DynamoDB Local, or any other that speaks its protocol. */
export function openDatabaseAt(endpoint: string): LocalDatabase {
  const client = localClient(endpoint);
  return {
    client,
    reach: { url: endpoint },
    where: endpoint,
    trouble: () => undefined,
    close: async () => client.destroy(),
  };
}

/** A client of the running stack's database, for another process. */
export function clientOf(reach: RunningStack['database']): DynamoDBClient {
  if ('url' in reach) return localClient(reach.url);
  return createTableClient({
    ...local,
    endpoint: 'http://database.invalid',
    requestHandler: socketHandler(reach.socket),
  });
}

/** A local endpoint takes any credentials, and wants some. */
const local = {
  region: 'local',
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
};

/** A client of a local endpoint. */
export function localClient(endpoint: string): DynamoDBClient {
  return createTableClient({ ...local, endpoint });
}

/** A path of a Unix socket may have 107 bytes (104 on macOS); a data folder further down has its socket elsewhere. */
const maxSocketPathBytes = 100;

/** Where to listen, and what takes away what was made for it; Node removes the socket itself. */
async function socketPlace(
  dataFolder: string,
): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = join(dataFolder, databaseSocket);
  const nothing = async () => {};
  if (process.platform === 'win32')
    return { path: `\\\\.\\pipe\\causeway-${process.pid}-${Date.now()}`, remove: nothing };
  if (Buffer.byteLength(path) <= maxSocketPathBytes) return { path, remove: nothing };
  const folder = await mkdtemp(join(tmpdir(), 'causeway-'));
  return {
    path: join(folder, databaseSocket),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

async function folderBytes(folder: string): Promise<number> {
  const names = await readdir(folder);
  // LevelDB may delete one meanwhile.
  const sizes = names.map((name) =>
    stat(join(folder, name)).then(
      ({ size }) => size,
      () => 0,
    ),
  );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
}

/** Creates the messages table where it is missing, and says by what its items expire. */
export async function createMessagesTable(
  client: DynamoDBClient,
  tableName: string,
): Promise<void> {
  await createTable(client, tableName);
  await expireItems(client, tableName);
}

/** Creates the table; nothing in it expires. */
export async function createTable(client: DynamoDBClient, tableName: string): Promise<void> {
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

async function expireItems(client: DynamoDBClient, tableName: string): Promise<void> {
  const { TimeToLiveDescription } = await client.send(
    new DescribeTimeToLiveCommand({ TableName: tableName }),
  );
  if (TimeToLiveDescription?.TimeToLiveStatus !== 'DISABLED') return;
  await client.send(
    new UpdateTimeToLiveCommand({
      TableName: tableName,
      TimeToLiveSpecification: { AttributeName: messagesTable.timeToLive, Enabled: true },
    }),
  );
}
