// The database of versions before 0.2, dynalite's: its items are moved into the embedded one, once, at the first start.
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { BatchWriteItemCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import cliProgress from 'cli-progress';
import { toBytes } from '../database/server.ts';
import type { Item } from '../database/values/attribute-values.ts';
import { LevelStore } from '../level/level-store.ts';

export interface OlderDatabase {
  readonly dataFolder: string;
  readonly client: DynamoDBClient;
  readonly tableName: string;
}

/** Its part of the data folder. */
const olderFolder = 'database';
const itemsAtOnce = 25;

/**
 * Moves the items of an older version, where there are some. The old folder is deleted once all of them are in the new
 * database; a start that is killed before begins again, and writes the same items once more.
 */
export async function adoptOlderDatabase({
  dataFolder,
  client,
  tableName,
}: OlderDatabase): Promise<void> {
  const folder = join(dataFolder, olderFolder);
  if (!existsSync(folder)) return;
  const older = await LevelStore.openTexts(folder);
  try {
    const range = { gte: `item-${tableName}~`, lt: `item-${tableName}\u007f` };
    let count = 0;
    for await (const page of older.pages(range, 1000)) count += page.length;
    const bar = new cliProgress.SingleBar({
      stream: process.stderr,
      format: 'Moving stored items into the new database [{bar}] {value} of {total}',
      noTTYOutput: false,
    });
    bar.start(count, 0);
    for await (const page of older.pages(range, itemsAtOnce)) {
      const requests = page.map(([, value]) => ({ PutRequest: { Item: itemOf(value) } }));
      await client.send(new BatchWriteItemCommand({ RequestItems: { [tableName]: requests } }));
      bar.increment(page.length);
    }
    bar.stop();
  } finally {
    await older.close();
  }
  rmSync(folder, { recursive: true });
}

/** dynalite kept items as DynamoDB's JSON. */
function itemOf(value: Buffer): Item {
  return JSON.parse(value.toString(), toBytes) as Item;
}
