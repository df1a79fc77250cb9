// Which database the local stack uses, the embedded one or that of DYNAMODB_ENDPOINT, with the table in it.
import type { Logger } from 'pino';
import { makePrivate } from '../level/private-folder.ts';
import {
  createMessagesTable,
  databaseFolder,
  databaseSocket,
  type LocalDatabase,
  openDatabaseAt,
  openEmbeddedDatabase,
} from './database.ts';
import { folderError, SettingError } from './setting-error.ts';
import type { Settings } from './settings.ts';

/** What is in DATA_DIR by our names; `database` is of older versions. */
const ownNames = new RegExp(
  `^(bridge|broker|database|${databaseFolder}|${databaseSocket}|stack\\.json(\\.new)?)$`,
);

/**
 * Opens the embedded database where no other is named, and creates the table where it is missing. Rejects with a
 * {@link SettingError}.
 */
export async function chooseDatabase(
  settings: Settings,
  tableName: string,
  log: Logger,
): Promise<LocalDatabase> {
  const {
    DATA_DIR: dataFolder,
    DYNAMODB_ENDPOINT: endpoint,
    DATABASE_SYNC_WRITES: syncWrites,
  } = settings;
  try {
    makePrivate(dataFolder, ownNames);
    if (endpoint === undefined)
      return await openEmbeddedDatabase({ dataFolder, tableName, syncWrites, log });
  } catch (error) {
    throw folderError(settings, error);
  }
  const database = openDatabaseAt(endpoint);
  await createMessagesTable(database.client, tableName).catch(async (error) => {
    await database.close();
    const problem = `no DynamoDB answers at ${endpoint} (${error.message})`;
    throw new SettingError('DYNAMODB_ENDPOINT', problem, error);
  });
  return database;
}
