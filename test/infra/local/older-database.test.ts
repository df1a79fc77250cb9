// The data of an older version: read on, and the old folder kept until all of them are in the new one.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { GetItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { expect, test } from 'vitest';
import { LevelStore } from '../../../infra/level/level-store.ts';
import { openEmbeddedDatabase } from '../../../infra/local/database.ts';
import { temporaryFolder } from '../../support/brokers.ts';

const tableName = 'causeway-messages';

/** Entries as dynalite 4.0.0 wrote them. */
async function older(dataFolder: string, count: number): Promise<void> {
  const store = await LevelStore.openTexts(join(dataFolder, 'database'));
  const hex = (text: string) => Buffer.from(text).toString('hex');
  for (let n = 0; n < count; n++) {
    const sk = String(n).padStart(6, '0');
    const value = JSON.stringify({
      pk: { S: 'm/a' },
      sk: { S: sk },
      payload: { B: 'AQL/' },
      properties: { M: { correlationData: { B: 'AQ==' } } },
      n: { N: '1' },
    });
    const key = `item-${tableName}~4f9f71/${hex('m/a')}/${hex(sk)}/`;
    await store.write({ type: 'put', key, value: Buffer.from(value) });
  }
  await store.write({ type: 'put', key: `table~${tableName}`, value: Buffer.from('{}') });
  await store.close();
}

test('its items are there after the first start, byte for byte, and the old folder is gone', async () => {
  const dataFolder = temporaryFolder('older');
  await older(dataFolder, 60);
  const open = () => openEmbeddedDatabase({ dataFolder, tableName, syncWrites: false });
  const database = await open();
  const { Item } = await database.client.send(
    new GetItemCommand({ TableName: tableName, Key: { pk: { S: 'm/a' }, sk: { S: '000007' } } }),
  );
  expect(Item).toEqual({
    pk: { S: 'm/a' },
    sk: { S: '000007' },
    payload: { B: Uint8Array.of(1, 2, 255) },
    properties: { M: { correlationData: { B: Uint8Array.of(1) } } },
    n: { N: '1' },
  });
  expect(existsSync(join(dataFolder, 'database'))).toBe(false);
  await database.close();

  const again = await open();
  const { Count } = await again.client.send(
    new QueryCommand({
      TableName: tableName,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': { S: 'm/a' } },
    }),
  );
  expect(Count).toBe(60);
  await again.close();
});
