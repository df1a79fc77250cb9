// All items of a test's table, away, so that the next try starts with none.
import { BatchWriteItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import type { ItemSource } from '../../functions/table/partition.ts';

export async function deleteAll({ client, tableName }: ItemSource): Promise<void> {
  for (;;) {
    const { Items = [] } = await client.send(new ScanCommand({ TableName: tableName, Limit: 25 }));
    if (Items.length === 0) return;
    const requests = Items.map(({ pk, sk }) => ({ DeleteRequest: { Key: { pk, sk } } }));
    await client.send(
      new BatchWriteItemCommand({ RequestItems: { [tableName]: requests as never } }),
    );
  }
}
