// What is stored in a table, found by looking at every item: for tests that must not rest on how it is read.
import { type DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import type { Message } from '../../functions/contract/message.ts';
import { storageForms } from '../../functions/contract/storage-form.ts';
import { decodeSegment } from '../../functions/segments/segment-codec.ts';
import { type Item, messageOf, messageSortKey } from '../../functions/table/item.ts';
import { engines } from './table.ts';

/** What a suite of stored messages runs in: each form in the embedded database, and in `npm run matrix` in every one. */
export const settings = engines.flatMap((engine) =>
  storageForms.map((storage) => ({ engine, storage })),
);

/** Every item of the table. */
export async function allItems(table: {
  readonly client: DynamoDBClient;
  readonly tableName: string;
}): Promise<Item[]> {
  const items: Item[] = [];
  let next: Item | undefined;
  do {
    const { Items = [], LastEvaluatedKey } = await table.client.send(
      new ScanCommand({ TableName: table.tableName, ...(next && { ExclusiveStartKey: next }) }),
    );
    items.push(...Items);
    next = LastEvaluatedKey;
  } while (next !== undefined);
  return items;
}

/** The messages in those items, in either form: each once, by topic and time. */
export function messagesIn(items: readonly Item[]): Message[] {
  const found = new Map<string, Message>();
  for (const item of items)
    for (const message of messagesOf(item))
      found.set(`${message.topic} ${messageSortKey(message)}`, message);
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, message]) => message);
}

function messagesOf(item: Item): readonly Message[] {
  const pk = item['pk']?.S ?? '';
  if (pk.startsWith('m/')) return [messageOf(item)];
  if (!/^s\d/.test(pk)) return [];
  const decoded = decodeSegment(item['bytes']?.B ?? new Uint8Array());
  if (!decoded.ok) throw new Error(`a segment is ${decoded.fault}`);
  return decoded.value.messages;
}
