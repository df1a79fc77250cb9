// Writes messages to the table: BatchWriteItem calls side by side, and exactly what failed as the result.
import { setTimeout as delay } from 'node:timers/promises';
import {
  BatchWriteItemCommand,
  type DynamoDBClient,
  DynamoDBServiceException,
  type WriteRequest,
} from '@aws-sdk/client-dynamodb';
import { LRUCache } from 'lru-cache';
import {
  type Item,
  messageItem,
  messagePartition,
  messageSortKey,
  topicItem,
} from '../contract/item.ts';
import type { Message } from '../contract/message.ts';
import type { ItemFailure } from '../contract/receipt.ts';

/** BatchWriteItem takes at most 25 puts and 16 MB a call. */
const maxPuts = 25;
const maxCallBytes = 12 * 1024 * 1024;
/** An item may have 400 KB, names and numbers included; what is left is for them. */
const maxPayloadBytes = 380 * 1024;

export interface StoreOptions {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  /** Days after receipt at which a message expires. */
  readonly retentionDays: number;
  /** BatchWriteItem calls in flight at once. Default 8. */
  readonly concurrency?: number;
  /** Time to spend on retries of what DynamoDB did not process, in milliseconds. Default 10,000. */
  readonly timeBudgetMs?: number;
  readonly now?: () => number;
}

export interface Store {
  /** Stores the messages; resolves with those that were not stored. Rejects never for a lost database. */
  put(messages: readonly Message[]): Promise<ItemFailure[]>;
}

interface Entry {
  readonly item: Item;
  /** Ids of the messages this item stores; none for an entry of the topic registry. */
  readonly ids: string[];
}

export function createStore(options: StoreOptions): Store {
  const {
    client,
    tableName,
    retentionDays,
    concurrency = 8,
    timeBudgetMs = 10_000,
    now = Date.now,
  } = options;
  // Topic → minute of its last registry write, so that a topic costs one such write a minute.
  const registered = new LRUCache<string, number>({ max: 50_000 });

  const expiresAt = (time: string) => Math.floor(Date.parse(time) / 1000) + retentionDays * 86_400;

  function entriesOf(messages: readonly Message[]): Entry[] {
    const entries = new Map<string, Entry>();
    const topics = new Map<string, Entry>();
    const minute = Math.floor(now() / 60_000);
    for (const message of messages) {
      // One key twice in a call refuses the whole call; a second copy lands on the same item anyway.
      const key = `${messagePartition(message.topic)} ${messageSortKey(message)}`;
      const ids = entries.get(key)?.ids ?? [];
      entries.set(key, {
        item: messageItem(message, expiresAt(message.time)),
        ids: [...ids, message.id],
      });
      if (registered.get(message.topic) !== minute) {
        const known = { topic: message.topic, lastSeen: message.time };
        topics.set(message.topic, { item: topicItem(known, expiresAt(message.time)), ids: [] });
      }
    }
    return [...entries.values(), ...topics.values()];
  }

  /** Writes one call's entries, and again what came back unprocessed; the reason why some could not. */
  async function write(entries: readonly Entry[], deadlineMs: number): Promise<ItemFailure[]> {
    let left: WriteRequest[] = entries.map(({ item }) => ({ PutRequest: { Item: item } }));
    for (let attempt = 0; ; attempt++) {
      try {
        const { UnprocessedItems } = await client.send(
          new BatchWriteItemCommand({ RequestItems: { [tableName]: left } }),
        );
        left = UnprocessedItems?.[tableName] ?? [];
      } catch (error) {
        if (error instanceof DynamoDBServiceException && error.name === 'ValidationException') {
          return findCulprits(entries, deadlineMs);
        }
        return failuresOf(entries, left, error instanceof Error ? error.name : 'unknown error');
      }
      // Full jitter: 50 ms doubling to 1.6 s at most, as AWS advises for unprocessed items.
      const waitMs = Math.random() * 50 * 2 ** Math.min(attempt, 5);
      if (left.length === 0) break;
      if (now() + waitMs > deadlineMs) return failuresOf(entries, left, 'throttled by DynamoDB');
      await delay(waitMs);
    }
    const minute = Math.floor(now() / 60_000);
    for (const { item, ids } of entries) {
      if (ids.length === 0 && item['topic']?.S !== undefined)
        registered.set(item['topic'].S, minute);
    }
    return [];
  }

  /** DynamoDB refuses a whole call for one bad item: halve the call until the item stands alone. */
  async function findCulprits(
    entries: readonly Entry[],
    deadlineMs: number,
  ): Promise<ItemFailure[]> {
    if (entries.length === 1) {
      const ids = entries[0]?.ids ?? [];
      return ids.map((id) => ({
        itemIdentifier: id,
        reason: 'DynamoDB does not accept the item',
        retryable: false,
      }));
    }
    const middle = Math.ceil(entries.length / 2);
    return [
      ...(await write(entries.slice(0, middle), deadlineMs)),
      ...(await write(entries.slice(middle), deadlineMs)),
    ];
  }

  async function put(messages: readonly Message[]): Promise<ItemFailure[]> {
    const tooLarge = messages.filter(({ payload }) => payload.byteLength > maxPayloadBytes);
    const calls = callsOf(
      entriesOf(messages.filter(({ payload }) => payload.byteLength <= maxPayloadBytes)),
    );
    const deadlineMs = now() + timeBudgetMs;
    const failures: ItemFailure[] = tooLarge.map(({ id }) => ({
      itemIdentifier: id,
      reason: `payload is larger than ${maxPayloadBytes} bytes`,
      retryable: false,
    }));
    const queue = calls.values();
    const worker = async () => {
      for (const call of queue) failures.push(...(await write(call, deadlineMs)));
    };
    await Promise.all(Array.from({ length: Math.min(concurrency, calls.length) }, worker));
    return failures;
  }

  return { put };
}

/** Groups entries into calls within the limits of BatchWriteItem. */
function callsOf(entries: readonly Entry[]): Entry[][] {
  const calls: Entry[][] = [];
  let call: Entry[] = [];
  let bytes = 0;
  for (const entry of entries) {
    const { payload } = entry.item;
    const size = 1024 + (payload?.S?.length ?? 0) * 3 + (payload?.B?.byteLength ?? 0);
    if (call.length > 0 && (call.length === maxPuts || bytes + size > maxCallBytes)) {
      calls.push(call);
      call = [];
      bytes = 0;
    }
    call.push(entry);
    bytes += size;
  }
  if (call.length > 0) calls.push(call);
  return calls;
}

/** The messages among `entries` that `left` still holds; a lost registry entry is no message's failure. */
function failuresOf(
  entries: readonly Entry[],
  left: readonly WriteRequest[],
  reason: string,
): ItemFailure[] {
  const keyOf = (item: Item | undefined) => `${item?.['pk']?.S} ${item?.['sk']?.S}`;
  const lost = new Set(left.map((request) => keyOf(request.PutRequest?.Item)));
  return entries
    .filter(({ item }) => lost.has(keyOf(item)))
    .flatMap(({ ids }) => ids)
    .map((itemIdentifier) => ({ itemIdentifier, reason, retryable: true }));
}
