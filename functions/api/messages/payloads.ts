// Whole messages from items: the payload of a large one is read from its chunks and held to its digest.
import { itemBytes, joinChunks } from '../../contract/chunks.ts';
import {
  chunkedPayloadOf,
  type Item,
  messageChunksPartition,
  messageOf,
  payloadDigest,
} from '../../contract/item.ts';
import type { Message } from '../../contract/message.ts';
import { type ItemSource, readChunks } from '../../contract/partition.ts';

/** Bytes that an item takes once its payload is read, wherever that is stored. */
export function wholeBytesOf(item: Item): number {
  return itemBytes(item) + (chunkedPayloadOf(item)?.bytes ?? 0);
}

/** The message that an item stores. Throws where chunks are missing or others: they are written before the item. */
export async function wholeMessageOf(item: Item, source: ItemSource): Promise<Message> {
  const chunked = chunkedPayloadOf(item);
  const message = messageOf(item);
  if (chunked === undefined) return message;
  const partition = messageChunksPartition(message);
  const payload = joinChunks(await readChunks(source, partition, chunked.chunks));
  if (Buffer.compare(payloadDigest(payload), chunked.sha256) !== 0)
    throw new Error(`the chunks in ${partition} do not make the payload they were made from`);
  return { ...message, payload };
}
