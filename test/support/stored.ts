// What is stored in a table, found by looking at every item: for tests that must not rest on how it is read.
import { type DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import type { Message } from '../../functions/contract/message.ts';
import { storageForms } from '../../functions/contract/storage-form.ts';
import type { StoreOptions } from '../../functions/ingest/storing/message-store.ts';
import { decodeSegment } from '../../functions/segments/segment-codec.ts';
import { joinChunks } from '../../functions/table/chunks.ts';
import {
  chunkedPayloadOf,
  type Item,
  messageChunksPartition,
  messageOf,
  messageSortKey,
  textAt,
} from '../../functions/table/item.ts';
import { variantsOf } from './matrix.ts';
import { grouped } from './segments.ts';
import { everyEngine } from './table.ts';

/** Each form in each database: what the core of the suites of stored messages runs in. The default form comes first. */
export const everySetting = everyEngine.flatMap((engine) =>
  storageForms.map((storage) => ({ engine, storage, name: `${storage} on ${engine.name}` })),
);

/** What the other ones run in: the default form in the embedded database, and in `npm run matrix` all. */
export const settings = variantsOf(everySetting);

/** For `createStore`, where requests are small: a single message is packed, too. */
export const packsAll = { minPacked: 1 } as const satisfies Partial<StoreOptions>;

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

/** The messages in all items of a table, in either form: each once, by topic and time, and whole. */
export function messagesIn(items: readonly Item[]): Message[] {
  const partitions = byPartition(items);
  const found = new Map<string, Message>();
  for (const item of items)
    for (const message of messagesOf(item, partitions))
      found.set(`${message.topic} ${messageSortKey(message)}`, message);
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, message]) => message);
}

export function byPartition(items: readonly Item[]): ReadonlyMap<string, readonly Item[]> {
  return grouped(items, (item) => textAt(item, 'pk'));
}

function messagesOf(item: Item, partitions: ReturnType<typeof byPartition>): readonly Message[] {
  const pk = textAt(item, 'pk');
  if (pk.startsWith('m/')) {
    const message = messageOf(item);
    if (chunkedPayloadOf(item) === undefined) return [message];
    const chunks = partitions.get(messageChunksPartition(message)) ?? [];
    return [{ ...message, payload: joinChunks(chunks) }];
  }
  if (!/^s\d/.test(pk)) return [];
  const decoded = decodeSegment(item['bytes']?.B ?? new Uint8Array());
  if (!decoded.ok) throw new Error(`a segment is ${decoded.fault}`);
  return decoded.value.messages;
}
