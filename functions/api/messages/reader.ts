// Reads the messages table: pages of a topic's messages by time, of the registry of topics, and of the newest of each.
import { type Item, topicKey } from '../../contract/item.ts';
import { type KnownTopic, knownTopicOf } from '../../contract/known-topic.ts';
import type { Message } from '../../contract/message.ts';
import {
  createStoredMessages,
  type StoredMessagesOptions,
  timeRange,
  wholeBytesOf,
} from '../../contract/stored-messages.ts';
import { matchesFilter } from '../../contract/topic.ts';
import {
  collectPage,
  maxPageBytes,
  maxQueriesPerPage,
  type Page,
  pageOf,
} from '../interface/page.ts';

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

/** Topics whose newest message is read side by side. */
const topicsAtOnce = 25;
export function createReader(options: StoredMessagesOptions): Reader {
  const stored = createStoredMessages(options);
  const bounds = (firstItems: number) => ({ mostQueries: maxQueriesPerPage, firstItems });

  async function messages(selection: MessageSelection, after?: string): Promise<Page<Message>> {
    const { topic, from, to, order, limit } = selection;
    const range = { ...timeRange(from, to), newestFirst: order === 'newest', after };
    // One more than the page has, to know whether it is the last.
    const steps = stored.messageSteps(topic, range, bounds(limit + 1));
    const items = await collectPage(steps, { limit, pick: itself, bytesOf: wholeBytesOf });
    const entries: Message[] = [];
    for (const item of items.entries) entries.push(await stored.whole(item));
    return { ...items, entries };
  }

  function topics(selection: TopicSelection, after?: string): Promise<Page<KnownTopic>> {
    const { filter, limit, isVisible } = selection;
    return collectPage(stored.topicSteps(filter, after, bounds(limit + 1)), {
      limit,
      pick(item) {
        const known = knownTopicOf(item);
        return matchesFilter(filter, known.topic) && isVisible(known.topic) ? known : undefined;
      },
      bytesOf: wholeBytesOf,
    });
  }

  async function newestItem(topic: string): Promise<Item | undefined> {
    const range = { ...timeRange(undefined, undefined), newestFirst: true };
    const steps = stored.messageSteps(topic, range, bounds(1));
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
          entries.push(await stored.whole(item));
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
