// Reads the messages table: a topic's messages by time, the registry of topics, the newest of each.
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  checkedShards,
  type Item,
  maxKeyTopicBytes,
  messagePartition,
  topicKey,
} from '../../contract/item.ts';
import { type KnownTopic, knownTopicOf, topicsPartition } from '../../contract/known-topic.ts';
import type { Message } from '../../contract/message.ts';
import {
  concatSteps,
  mergeSteps,
  type ReadOptions,
  readPartition,
  type SortKeyRange,
  type Steps,
  unexpired,
} from '../../contract/partition.ts';
import { literalPrefix, matchesFilter } from '../../contract/topic.ts';
import {
  collectPage,
  maxPageBytes,
  maxQueriesPerPage,
  type Page,
  pageOf,
} from '../interface/page.ts';
import { wholeBytesOf, wholeMessageOf } from './payloads.ts';

export interface MessageSelection {
  readonly topic: string;
  /** First time of receipt that belongs to the answer: RFC 3339, UTC, microseconds. */
  readonly from?: string | undefined;
  /** First time of receipt that no longer does. */
  readonly to?: string | undefined;
  readonly order: 'newest' | 'oldest';
  readonly limit: number;
}

export interface TopicSelection {
  /** Topic filter. */
  readonly filter: string;
  readonly limit: number;
  /** Whether the caller may know of a topic; the others are passed over. */
  readonly isVisible: (topic: string) => boolean;
}

export interface Reader {
  messages(selection: MessageSelection, after?: string): Promise<Page<Message>>;
  topics(selection: TopicSelection, after?: string): Promise<Page<KnownTopic>>;
  /**
   * The newest message of every topic. A topic is left out where thousands of expired messages, which DynamoDB has
   * still to delete, lie above the newest that has not expired.
   */
  latest(selection: TopicSelection, after?: string): Promise<Page<Message>>;
}

export interface ReaderOptions {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  /**
   * Shards that a topic's messages are spread over, 1 to 32: at least as many as ingest has ever written with within
   * the retention. Default 1.
   */
  readonly writeShards?: number;
  readonly now?: () => number;
}

/** Topics whose newest message is read side by side. */
const topicsAtOnce = 25;
/** No topic contains this noncharacter, and none sorts behind it. */
const lastCharacter = '\u{10ffff}';

export function createReader(options: ReaderOptions): Reader {
  const { client, tableName, now = Date.now } = options;
  const writeShards = checkedShards(options.writeShards ?? 1);
  const source = { client, tableName };

  function read(partition: string, range: SortKeyRange, firstItems: number): Steps {
    const readOptions: ReadOptions = {
      mostQueries: maxQueriesPerPage,
      firstItems,
      filter: unexpired(now()),
    };
    return readPartition(source, partition, range, readOptions);
  }

  /** A topic's messages, from all of its shards. */
  function readMessages(topic: string, range: SortKeyRange, firstItems: number): Steps {
    // A shard has its share of a page, more or less: twice that is seldom not enough.
    const share = Math.min(firstItems, Math.ceil((2 * firstItems) / writeShards));
    const shards = Array.from({ length: writeShards }, (_, shard) =>
      read(messagePartition(topic, shard), range, share),
    );
    return mergeSteps(shards, range.newestFirst);
  }

  async function messages(selection: MessageSelection, after?: string): Promise<Page<Message>> {
    const { topic, from, to, order, limit } = selection;
    // Sort keys are `time#id`: a bare time sorts before all of its moment, so `to` is left out.
    const range = { low: from ?? '0', high: to ?? '9', newestFirst: order === 'newest', after };
    // One more than the page has, to know whether it is the last.
    const steps = readMessages(topic, range, limit + 1);
    const items = await collectPage(steps, { limit, pick: itself, bytesOf: wholeBytesOf });
    const entries: Message[] = [];
    for (const item of items.entries) entries.push(await wholeMessageOf(item, source));
    return { ...items, entries };
  }

  function topics(selection: TopicSelection, after?: string): Promise<Page<KnownTopic>> {
    const { filter, limit, isVisible } = selection;
    const ranges = registryRanges(filter, after).map((range) =>
      read(topicsPartition, range, limit + 1),
    );
    return collectPage(concatSteps(ranges), {
      limit,
      pick(item) {
        const known = knownTopicOf(item);
        return matchesFilter(filter, known.topic) && isVisible(known.topic) ? known : undefined;
      },
      bytesOf: wholeBytesOf,
    });
  }

  async function newestItem(topic: string): Promise<Item | undefined> {
    const steps = readMessages(topic, { low: '0', high: '9', newestFirst: true }, 1);
    for await (const { item } of steps) if (item !== undefined) return item;
    return undefined;
  }

  async function latest(selection: TopicSelection, after?: string): Promise<Page<Message>> {
    const known = await topics(selection, after);
    const entries: Message[] = [];
    let bytes = 0;
    let passed = after;
    for (let start = 0; start < known.entries.length; start += topicsAtOnce) {
      const newest = await Promise.all(
        known.entries
          .slice(start, start + topicsAtOnce)
          .map(async ({ topic }) => ({ topic, item: await newestItem(topic) })),
      );
      for (const { topic, item } of newest) {
        if (item !== undefined) {
          bytes += wholeBytesOf(item);
          if (bytes > maxPageBytes && entries.length > 0) return pageOf(entries, passed);
          entries.push(await wholeMessageOf(item, source));
        }
        passed = topicKey(topic);
      }
    }
    return pageOf(entries, known.next);
  }

  return { messages, topics, latest };
}

function itself(item: Item): Item {
  return item;
}

/** The ranges of the registry that hold what a filter matches, in the order they are read, behind `after`. */
function registryRanges(filter: string, after: string | undefined): SortKeyRange[] {
  const rest = { newestFirst: false, after };
  if (!/[+#]/.test(filter)) {
    const key = topicKey(filter);
    return [{ low: key, high: key, ...rest }];
  }
  const prefix = literalPrefix(filter);
  if (prefix === '') return [{ low: ' ', high: lastCharacter, ...rest }];
  // Topics too long for a key stand under `#` and a hash, where no prefix leads: they are read at the end.
  const hashed = { low: '#', high: `#${lastCharacter}`, newestFirst: false };
  if (after?.startsWith('#')) return [{ ...hashed, after }];
  if (Buffer.byteLength(prefix) > maxKeyTopicBytes) return [hashed];
  return [{ low: prefix, high: `${prefix}${lastCharacter}`, ...rest }, hashed];
}
