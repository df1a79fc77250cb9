// What a replay goes through, in an order that it can go on in after a restart: stored messages by topic and time, or
// dead letters by time.

import type { Message } from '../../functions/contract/message.ts';
import { matchesFilter } from '../../functions/contract/topic.ts';
import {
  DamagedMessage,
  type MessageStorage,
  type StoredMessages,
  timeRange,
  wholeBytesOf,
} from '../../functions/reading/stored-messages.ts';
import {
  deadLetterPartition,
  deadLetterSummaryOf,
  summaryAttributes,
  unexpiredDeadLetters,
} from '../../functions/table/dead-letter.ts';
import { type Item, messageOf, topicKey } from '../../functions/table/item.ts';
import { knownTopicOf } from '../../functions/table/known-topic.ts';
import { type ItemSource, readPartition } from '../../functions/table/partition.ts';
import type { ReplayPosition, ReplayRequest } from '../../functions/table/replay.ts';

/** One of the things that are replayed; what it is, is read when it is its turn. */
export interface Entry<T> {
  /** Where a replay goes on that has done this one. */
  readonly position: ReplayPosition;
  /** Bytes that it takes once it is read. */
  readonly bytes: number;
  /** Rejects where the database is lost. */
  read(): Promise<Read<T>>;
}

export type Read<T> =
  | { readonly kind: 'read'; readonly value: T }
  /** A part of it is gone, and no later try will find it. */
  | { readonly kind: 'damaged'; readonly letter: Letter; readonly reason: string };

/** All entries of a request behind `after`. Reads ahead by a page of DynamoDB, which has 1 MB at most. */
export type Entries<T> = (
  request: ReplayRequest,
  after: ReplayPosition | undefined,
) => AsyncGenerator<Entry<T>, void>;

/** A replay reads to the end, however many queries that takes. */
const unbounded = { maxQueries: Number.POSITIVE_INFINITY };

export function messageEntries(storage: MessageStorage): Entries<Message> {
  async function wholeOf(item: Item): Promise<Read<Message>> {
    try {
      return { kind: 'read', value: await storage.whole(item) };
    } catch (error) {
      if (!(error instanceof DamagedMessage)) throw error;
      return { kind: 'damaged', letter: messageOf(item), reason: error.message };
    }
  }

  async function* ofTopic(
    stored: StoredMessages,
    topic: string,
    { from, to }: ReplayRequest,
    after?: string,
  ): AsyncGenerator<Entry<Message>, void> {
    const range = { ...timeRange(from, to), after };
    for await (const { key, item } of stored.messageSteps(topic, range, unbounded)) {
      if (item === undefined) continue;
      yield {
        position: { topic, key },
        bytes: wholeBytesOf(item),
        read: () => wholeOf(item),
      };
    }
  }

  return async function* (request, after) {
    const { filter } = request;
    const stored = storage.snapshot();
    if (after?.topic !== undefined) yield* ofTopic(stored, after.topic, request, after.key);
    const topics = stored.topicSteps([filter], after?.topic && topicKey(after.topic), unbounded);
    for await (const { item } of topics) {
      if (item === undefined) continue;
      const { topic } = knownTopicOf(item);
      if (matchesFilter(filter, topic)) yield* ofTopic(stored, topic, request);
    }
  };
}

/** A dead letter, to be found by its id. */
export interface Letter {
  readonly id: string;
  readonly topic: string;
}

export function deadLetterEntries(source: ItemSource): Entries<Letter> {
  return async function* ({ filter, from, to, route, deadLetterReason: reason }, after) {
    const range = { ...timeRange(from, to), after: after?.key };
    const steps = readPartition(source, deadLetterPartition, range, {
      ...unbounded,
      attributes: summaryAttributes,
      filter: unexpiredDeadLetters(Date.now(), { route, reason }),
    });
    for await (const { item } of steps) {
      if (item === undefined) continue;
      const { id, topic, bytes } = deadLetterSummaryOf(item);
      if (!matchesFilter(filter, topic)) continue;
      yield {
        position: { key: id },
        bytes,
        read: async () => ({ kind: 'read', value: { id, topic } }),
      };
    }
  };
}
