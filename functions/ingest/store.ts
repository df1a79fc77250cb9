// Stores a batch of messages: looks back for what may be stored already, then writes all the others.
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LRUCache } from 'lru-cache';
import { itemBytes } from '../contract/chunks.ts';
import { topicItem } from '../contract/item.ts';
import type { Message } from '../contract/message.ts';
import type { ItemFailure } from '../contract/receipt.ts';
import { createLookBack } from './look-back.ts';
import { type Entry, planOf } from './plan.ts';
import { createWriter, type Unwritten } from './writer.ts';

export interface StoreOptions {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  /** Days after receipt at which a message expires. */
  readonly retentionDays: number;
  /** Calls to DynamoDB in flight at once. Default 8. */
  readonly concurrency?: number;
  /** Time to spend on retries of what DynamoDB did not process, in milliseconds. Default 10,000. */
  readonly timeBudgetMs?: number;
  readonly now?: () => number;
}

export interface Store {
  /**
   * Stores the messages; resolves with those that were not stored. Rejects never for a lost database.
   * `onDuplicates` is told how many had been stored before, under another time of receipt: they are not again.
   */
  put(messages: readonly Message[], onDuplicates?: (count: number) => void): Promise<ItemFailure[]>;
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
  const writeItems = createWriter({ client, tableName, concurrency, now });
  const lookBack = createLookBack({ client, tableName, concurrency });
  // Topic → minute of its last registry write, so that a topic costs one such write a minute.
  const registered = new LRUCache<string, number>({ max: 50_000 });

  const expiresAt = ({ time }: Pick<Message, 'time'>) =>
    Math.floor(Date.parse(time) / 1000) + retentionDays * 86_400;

  /** Topics whose entry in the registry is due in this minute, with their newest message. */
  function dueTopics(messages: readonly Message[], minute: number): Map<string, Entry> {
    const due = new Map<string, Entry>();
    for (const { topic, time } of messages) {
      if (registered.get(topic) === minute) continue;
      const item = topicItem({ topic, lastSeen: time }, expiresAt({ time }));
      due.set(topic, { item, bytes: itemBytes(item) });
    }
    return due;
  }

  async function writeMessages(
    messages: readonly Message[],
    deadlineMs: number,
  ): Promise<ItemFailure[]> {
    const { entries, heads, refused } = planOf(messages, expiresAt);
    const minute = Math.floor(now() / 60_000);
    const topics = dueTopics(messages, minute);
    const failed = await writeItems([...entries, ...topics.values()], deadlineMs);
    const lost = new Set(failed.map(({ entry }) => entry));
    for (const [topic, entry] of topics) if (!lost.has(entry)) registered.set(topic, minute);

    const failures = new Map(refused.map((failure) => [failure.itemIdentifier, failure]));
    note(failures, failed);
    if (heads.length > 0) {
      const whole = heads.filter(({ id }) => id !== undefined && !failures.has(id));
      note(failures, await writeItems(whole, deadlineMs));
    }
    return [...failures.values()];
  }

  async function put(
    messages: readonly Message[],
    onDuplicates?: (count: number) => void,
  ): Promise<ItemFailure[]> {
    const deadlineMs = now() + timeBudgetMs;
    if (!messages.some(({ possibleDuplicate }) => possibleDuplicate === true)) {
      return writeMessages(messages, deadlineMs);
    }
    const { duplicates, failures } = await lookBack(messages);
    if (duplicates.size > 0) onDuplicates?.(duplicates.size);
    const unsure = new Set(failures.map(({ itemIdentifier }) => itemIdentifier));
    const fresh = messages.filter((m) => !duplicates.has(m) && !unsure.has(m.id));
    return [...failures, ...(await writeMessages(fresh, deadlineMs))];
  }

  return { put };
}

/** Notes what was not written: one failure a message, to be tried again if any part of it may be. */
function note(failures: Map<string, ItemFailure>, unwritten: readonly Unwritten[]): void {
  for (const { entry, reason, retryable } of unwritten) {
    // A lost entry of the registry is no message's failure.
    if (entry.id === undefined || failures.get(entry.id)?.retryable === true) continue;
    failures.set(entry.id, { itemIdentifier: entry.id, reason, retryable });
  }
}
