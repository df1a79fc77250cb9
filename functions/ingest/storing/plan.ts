// What a batch of messages is written as: which items, in which order, in which calls. Touches nothing.

import type { Message } from '../../contract/message.ts';
import type { ItemFailure } from '../../contract/receipt.ts';
import { chunkItems, itemBytes, maxInlineBytes, maxItemBytes } from '../../table/chunks.ts';
import {
  chunkedMessageItem,
  type Item,
  messageChunksPartition,
  messageItem,
  type Placement,
} from '../../table/item.ts';
import { keyOf, sameContent } from './identity.ts';

/** BatchWriteItem takes at most 25 puts a call. */
const maxPuts = 25;
/** A call's body may have 16 MB, and JSON makes up to six bytes of one (`\u0000`). */
const maxCallBytes = Math.floor((16 * 1024 * 1024) / 6) - 1024;

/** Below that, an item without its payload takes no fewer write units than with it, or hardly. */
const minApartBytes = 2048;

/** One item to be written. */
export interface Entry {
  readonly item: Item;
  readonly bytes: number;
  /** Id of the message that it stores, all or a part of. */
  readonly id: string;
}

/** Messages of a batch that can be stored beside each other. */
export interface Distinct {
  readonly messages: readonly Message[];
  /** Which share a key and differ. */
  readonly refused: ItemFailure[];
}

export interface Plan {
  /** Whole messages, and the chunks of large ones. */
  readonly entries: Entry[];
  /** The items of large messages: each to be written once all its chunks are stored, as it makes them readable. */
  readonly heads: Entry[];
  /** Messages that no item can hold. */
  readonly refused: ItemFailure[];
}

/**
 * Two copies of one message, the same topic, time and id, are one item. Two messages that share these three and
 * differ would overwrite each other: neither is stored, as no answer could tell them apart, and both become
 * dead letters. What shares an id alone has items of its own; if one fails, its id fails the other with it, which
 * then lands on its item a second time.
 */
export function distinctOf(messages: readonly Message[]): Distinct {
  const byKey = new Map<string, Message>();
  const refused: ItemFailure[] = [];
  const conflicts = new Set<string>();
  for (const message of messages) {
    const key = keyOf(message);
    const other = byKey.get(key);
    if (other === undefined) byKey.set(key, message);
    else if (!sameContent(message, other)) conflicts.add(key);
  }
  for (const key of conflicts) {
    const { id } = byKey.get(key) as Message;
    refused.push(refusal(id, 'two messages of the batch have this topic, time and id'));
    byKey.delete(key);
  }
  return { messages: [...byKey.values()], refused };
}

/** The items of messages that are distinct. */
export function planOf(
  messages: readonly Message[],
  placementOf: (message: Message) => Placement,
): Plan {
  const refused: ItemFailure[] = [];
  const entries: Entry[] = [];
  const heads: Entry[] = [];
  for (const message of messages) {
    const { id } = message;
    const form = storedForm(message, placementOf(message));
    if (form === undefined) {
      refused.push(refusal(id, 'topic and properties are too large for an item'));
    } else if (form.chunks.length === 0) {
      entries.push({ item: form.item, bytes: form.bytes, id });
    } else {
      heads.push({ item: form.item, bytes: form.bytes, id });
      for (const item of form.chunks) entries.push({ item, bytes: itemBytes(item), id });
    }
  }
  return { entries, heads, refused };
}

function refusal(itemIdentifier: string, reason: string): ItemFailure {
  return { itemIdentifier, reason, retryable: false };
}

interface StoredForm {
  readonly item: Item;
  readonly bytes: number;
  readonly chunks: Item[];
}

/** One item, or one and its chunks; undefined where the message is too large without its payload. */
function storedForm(message: Message, placement: Placement): StoredForm | undefined {
  const { byteLength } = message.payload;
  const isApart = placement.isApart === true && byteLength >= minApartBytes;
  if (byteLength <= maxInlineBytes && !isApart) {
    const item = messageItem(message, placement);
    const bytes = itemBytes(item);
    if (bytes <= maxItemBytes) return { item, bytes, chunks: [] };
  }
  const { expiresAtSeconds } = placement;
  const chunks = chunkItems(messageChunksPartition(message), message.payload, expiresAtSeconds);
  const item = chunkedMessageItem(message, chunks.length, placement);
  const bytes = itemBytes(item);
  return bytes <= maxItemBytes ? { item, bytes, chunks } : undefined;
}

/** Groups entries into calls within the limits of BatchWriteItem. */
export function callsOf(entries: readonly Entry[]): Entry[][] {
  const calls: Entry[][] = [];
  let call: Entry[] = [];
  let bytes = 0;
  for (const entry of entries) {
    if (call.length === maxPuts || (call.length > 0 && bytes + entry.bytes > maxCallBytes)) {
      calls.push(call);
      call = [];
      bytes = 0;
    }
    call.push(entry);
    bytes += entry.bytes;
  }
  if (call.length > 0) calls.push(call);
  return calls;
}
