// Stores a batch of messages: looks back for what may be stored already, then writes all the others.
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { checkedShards, shardOf } from '../contract/item.ts';
import type { Message } from '../contract/message.ts';
import type { PresenceFeed } from '../contract/presence-feed.ts';
import type { ItemFailure } from '../contract/receipt.ts';
import { createLookBack } from './look-back.ts';
import { planOf } from './plan.ts';
import { createPresenceFold } from './presence/fold.ts';
import { createRegistry } from './registry.ts';
import { createWriter, type Unwritten } from './writer.ts';

export interface StoreOptions {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  /** Days after receipt at which a message expires, unless its batch says otherwise. */
  readonly retentionDays: number;
  /**
   * Shards that each topic's messages are spread over, 1 to 32: a partition of DynamoDB takes 1,000 writes a second,
   * and every query of a topic reads all its shards. Default 1. It may be raised, readers first; a message that is
   * sent again across the change may be stored in two shards, and is shown once. It must not be lowered within the
   * retention: what the dropped shards hold would not be found.
   */
  readonly writeShards?: number;
  /** Calls to DynamoDB in flight at once. Default 8. */
  readonly concurrency?: number;
  /** Time to spend on retries of what DynamoDB did not process, in milliseconds. Default 10,000. */
  readonly timeBudgetMs?: number;
  readonly now?: () => number;
}

export interface PutOptions {
  /** Days after receipt at which these messages expire. Default as the store has it. */
  readonly retentionDays?: number | undefined;
  /** They are presence messages of this kind: not stored as they are, but folded into who is online. */
  readonly presence?: PresenceFeed | undefined;
  /** Told how many had been stored before, under another time of receipt: they are not again. */
  readonly onDuplicates?: (count: number) => void;
}

export interface Store {
  /** Stores the messages; resolves with those that were not stored. Rejects never for a lost database. */
  put(messages: readonly Message[], options?: PutOptions): Promise<ItemFailure[]>;
}

export function createStore(options: StoreOptions): Store {
  const { client, tableName, concurrency = 8, timeBudgetMs = 10_000, now = Date.now } = options;
  const writeShards = checkedShards(options.writeShards ?? 1);
  const writeItems = createWriter({ client, tableName, concurrency, now });
  const lookBack = createLookBack({ client, tableName, concurrency, writeShards });
  const countTopics = createRegistry({ client, tableName, concurrency, now });
  const foldPresence = createPresenceFold({ client, tableName, concurrency, now });

  async function writeMessages(
    messages: readonly Message[],
    retentionDays: number,
    deadlineMs: number,
  ): Promise<ItemFailure[]> {
    const { entries, heads, refused } = planOf(messages, ({ id, time }) => ({
      expiresAtSeconds: Math.floor(Date.parse(time) / 1000) + retentionDays * 86_400,
      shard: shardOf(id, writeShards),
    }));
    const failures = new Map(refused.map((failure) => [failure.itemIdentifier, failure]));
    note(failures, await writeItems(entries, deadlineMs));
    if (heads.length > 0) {
      const whole = heads.filter(({ id }) => !failures.has(id));
      note(failures, await writeItems(whole, deadlineMs));
    }
    const stored = failures.size === 0 ? messages : messages.filter(({ id }) => !failures.has(id));
    await countTopics(stored, retentionDays);
    return [...failures.values()];
  }

  async function put(
    messages: readonly Message[],
    { retentionDays = options.retentionDays, presence, onDuplicates }: PutOptions = {},
  ): Promise<ItemFailure[]> {
    const deadlineMs = now() + timeBudgetMs;
    if (presence !== undefined) return foldPresence(messages, presence, retentionDays, deadlineMs);
    if (!messages.some(({ possibleDuplicate }) => possibleDuplicate === true)) {
      return writeMessages(messages, retentionDays, deadlineMs);
    }
    const { duplicates, failures } = await lookBack(messages);
    if (duplicates.size > 0) onDuplicates?.(duplicates.size);
    const unsure = new Set(failures.map(({ itemIdentifier }) => itemIdentifier));
    const fresh = messages.filter((m) => !duplicates.has(m) && !unsure.has(m.id));
    return [...failures, ...(await writeMessages(fresh, retentionDays, deadlineMs))];
  }

  return { put };
}

/** Notes what was not written: one failure a message, to be tried again if any part of it may be. */
function note(failures: Map<string, ItemFailure>, unwritten: readonly Unwritten[]): void {
  for (const { entry, reason, retryable } of unwritten) {
    if (failures.get(entry.id)?.retryable === true) continue;
    failures.set(entry.id, { itemIdentifier: entry.id, reason, retryable });
  }
}
