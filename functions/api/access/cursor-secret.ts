// The secret of the cursors, which all instances of the api have in common: an item of the table, made by the first that
// needs it. It keeps keys of this table from callers, so it is as safe there as what it hides.
import { randomBytes } from 'node:crypto';
import { GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { loadOnce } from '../../contract/load-once.ts';
import { conditionHeld } from '../../table/conditional-write.ts';
import type { ItemSource } from '../../table/partition.ts';

const key = { pk: { S: 'secret' }, sk: { S: 'cursors' } };

/** Read once; after a failure again. */
export function secretInTable({ client, tableName }: ItemSource): () => Promise<string> {
  async function read(): Promise<string | undefined> {
    const { Item } = await client.send(
      new GetItemCommand({ TableName: tableName, Key: key, ConsistentRead: true }),
    );
    return Item?.['secret']?.S;
  }

  async function readOrMake(): Promise<string> {
    const found = await read();
    if (found !== undefined) return found;
    const made = randomBytes(32).toString('base64url');
    const isMade = await conditionHeld(
      client.send(
        new PutItemCommand({
          TableName: tableName,
          Item: { ...key, secret: { S: made } },
          ConditionExpression: 'attribute_not_exists(pk)',
        }),
      ),
    );
    if (isMade) return made;
    // Another instance was faster, or this call was repeated.
    const other = await read();
    if (other === undefined) throw new Error('the item of the cursor secret holds none');
    return other;
  }

  return loadOnce(readOrMake);
}
