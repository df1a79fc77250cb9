// The databases that have to give the same answers: the embedded one in this process, and Amazon's DynamoDB Local.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { embeddedClient } from '../../../infra/database/client.ts';
import { Database, type DatabaseOptions } from '../../../infra/database/database.ts';

export interface OpenDatabase {
  readonly database: Database;
  readonly client: DynamoDBClient;
  readonly folder: string;
  /** Closes the database and opens it again, as a process that starts would. */
  close(): Promise<void>;
}

/** A database in a folder of its own, or in one that another has left. */
export async function openDatabase(options: Partial<DatabaseOptions> = {}): Promise<OpenDatabase> {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'causeway-database-'));
  const database = await Database.open({ ...options, folder });
  const client = embeddedClient(database);
  return {
    database,
    client,
    folder,
    async close() {
      client.destroy();
      await database.close();
      if (options.folder === undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}
