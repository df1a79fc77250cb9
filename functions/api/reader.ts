// Reads the messages table: a topic's messages by time, the registry of topics, the newest of each.
import { type DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import {
  type Item,
  type KnownTopic,
  knownTopicOf,
  messagePartition,
  topicKey,
  topicsPartition,
} from '../contract/item.ts';
import type { Message } from '../contract/message.ts';
import { literalPrefix, matchesFilter } from '../contract/topic.ts';
import { wholeBytesOf, wholeMessageOf } from './payloads.ts';

export interface MessageQuery {
  readonly topic: string;
  /** First time of receipt that belongs to the answer: RFC 3339, UTC, microseconds. */
  readonly from?: string | undefined;
  /** First time of receipt that no longer does. */
  readonly to?: string | undefined;
  readonly order: 'newest' | 'oldest';
  readonly limit: number;
}

/** Part of an answer; `next` is the key to go on after, absent at the end. */
export interface Page<T> {
  readonly entries: readonly T[];
  readonly next?: string;
}

export interface Reader {
  messages(query: MessageQuery, after?: string): Promise<Page<Message>>;
  topics(filter: string, limit: number, after?: string): Promise<Page<KnownTopic>>;
  latest(filter: string, limit: number, after?: string): Promise<Page<Message>>;
}

export interface ReaderOptions {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  readonly now?: () => number;
}

interface Range {
  readonly low: string;
  readonly high: string;
}

/** Most queries that one request sends to fill its page when a filter leaves out most of what they read. */
const maxQueriesPerPage = 20;
/** Bytes in one page, unless its only message has more: an answer from Lambda has at most 6 MB. */
const maxPageBytes = 4 * 1024 * 1024;
/** Topics whose newest message is read side by side. */
const topicsAtOnce = 25;

export function createReader({ client, tableName, now = Date.now }: ReaderOptions): Reader {
  const source = { client, tableName };

  /** Reads on in one partition until the page is full or large, the partition ends, or enough has been read. */
  async function page<T>(
    partition: string,
    range: Range & { newestFirst: boolean; limit: number; after: string | undefined },
    pick: (item: Item) => T | undefined,
  ): Promise<Page<T>> {
    const entries: T[] = [];
    let after = range.after;
    let bytes = 0;
    let last: string | undefined;
    for (let queries = 0; queries < maxQueriesPerPage; queries++) {
      const { Items = [], LastEvaluatedKey } = await client.send(
        new QueryCommand({
          TableName: tableName,
          KeyConditionExpression: 'pk = :pk AND sk BETWEEN :low AND :high',
          // TTL deletes within days, not at once: what has expired must not be seen meanwhile.
          FilterExpression: 'expiresAt > :now',
          ExpressionAttributeValues: {
            ':pk': { S: partition },
            ':low': { S: range.low },
            ':high': { S: range.high },
            ':now': { N: String(Math.floor(now() / 1000)) },
          },
          ScanIndexForward: !range.newestFirst,
          Limit: range.limit,
          ...(after !== undefined && {
            ExclusiveStartKey: { pk: { S: partition }, sk: { S: after } },
          }),
        }),
      );
      for (const item of Items) {
        const picked = pick(item);
        if (picked === undefined) continue;
        bytes += wholeBytesOf(item);
        if (bytes > maxPageBytes && entries.length > 0) return pageOf(entries, last);
        entries.push(picked);
        last = item['sk']?.S;
        if (entries.length === range.limit) {
          const isLast = LastEvaluatedKey === undefined && item === Items.at(-1);
          return isLast ? { entries } : pageOf(entries, last);
        }
      }
      after = LastEvaluatedKey?.['sk']?.S;
      if (after === undefined) return { entries };
    }
    return pageOf(entries, after);
  }

  function messageItems(query: MessageQuery, after?: string): Promise<Page<Item>> {
    const { topic, from, to, order, limit } = query;
    // Sort keys are `time#id`: a bare time sorts before all of its moment, so `to` is left out.
    const low = from ?? '0';
    const high = to ?? '9';
    if (low > high) return Promise.resolve({ entries: [] });
    return page(
      messagePartition(topic),
      { low, high, newestFirst: order === 'newest', limit, after },
      (item) => item,
    );
  }

  async function messages(query: MessageQuery, after?: string): Promise<Page<Message>> {
    const items = await messageItems(query, after);
    const entries: Message[] = [];
    for (const item of items.entries) entries.push(await wholeMessageOf(item, source));
    return { ...items, entries };
  }

  async function topics(filter: string, limit: number, after?: string): Promise<Page<KnownTopic>> {
    if (!/[+#]/.test(filter)) {
      const key = topicKey(filter);
      return page(
        topicsPartition,
        { low: key, high: key, newestFirst: false, limit, after },
        knownTopicOf,
      );
    }
    const pick = (item: Item) => {
      const known = knownTopicOf(item);
      return matchesFilter(filter, known.topic) ? known : undefined;
    };
    const read = (range: Range, from: string | undefined, most: number) =>
      page(topicsPartition, { ...range, newestFirst: false, limit: most, after: from }, pick);

    // Topics too long for a key stand under `#` and a hash, where no prefix leads: they are read at the end.
    const [first, hashed] = topicRanges(literalPrefix(filter));
    if (hashed !== undefined && after?.startsWith('#')) return read(hashed, after, limit);
    const found = await read(first, after, limit);
    if (hashed === undefined || found.next !== undefined) return found;
    if (found.entries.length === limit) return { ...found, next: hashed.low };
    const more = await read(hashed, undefined, limit - found.entries.length);
    return { ...more, entries: [...found.entries, ...more.entries] };
  }

  async function latest(filter: string, limit: number, after?: string): Promise<Page<Message>> {
    const known = await topics(filter, limit, after);
    const entries: Message[] = [];
    let bytes = 0;
    let passed = after;
    for (let start = 0; start < known.entries.length; start += topicsAtOnce) {
      const newest = await Promise.all(
        known.entries.slice(start, start + topicsAtOnce).map(async ({ topic }) => {
          const { entries } = await messageItems({ topic, order: 'newest', limit: 1 });
          return { topic, item: entries[0] };
        }),
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

function pageOf<T>(entries: readonly T[], next: string | undefined): Page<T> {
  return next === undefined ? { entries } : { entries, next };
}

/** The ranges of the registry that hold the topics with a prefix, in the order they are read. */
function topicRanges(prefix: string): [Range, Range?] {
  const last = '\u{10ffff}';
  if (prefix === '') return [{ low: ' ', high: last }];
  return [
    { low: prefix, high: `${prefix}${last}` },
    { low: '#', high: `#${last}` },
  ];
}
