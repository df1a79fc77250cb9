// Reads the messages table: pages of a topic's messages by time, of the registry of topics, and of the newest of each.

import type { Message } from '../../contract/message.ts';
import { timeText } from '../../contract/time.ts';
import { matchesFilter } from '../../contract/topic.ts';
import {
  createStoredMessages,
  type StoredMessages,
  type StoredMessagesOptions,
  timeRange,
  wholeBytesOf,
} from '../../reading/stored-messages.ts';
import { chunkedPayloadOf, type Item, messageOf, topicKey } from '../../table/item.ts';
import { type KnownTopic, knownTopicOf } from '../../table/known-topic.ts';
import type { ReadBudget } from '../../table/read-budget.ts';
import {
  collectPage,
  maxPageBytes,
  maxQueriesPerPage,
  type Page,
  pageOf,
} from '../interface/page.ts';
import { createReadExport, type ReadExport } from './export-reader.ts';

export interface MessageSelection {
  readonly topic: string;
  /** First time of receipt that belongs to the answer: RFC 3339, UTC, microseconds. */
  readonly from?: string | undefined;
  /** First time of receipt that no longer does. */
  readonly to?: string | undefined;
  readonly order: 'newest' | 'oldest';
  readonly limit: number;
}

/** What a request may read. */
interface Budgeted {
  readonly budget: ReadBudget;
}

export interface TopicSelection extends Budgeted {
  /** Topic filters: what the caller asked for, as far as the caller may know of it. */
  readonly filters: readonly string[];
  readonly limit: number;
  /** Whether the caller may know of a topic: the filters say so too, and no mistake in them may show more. */
  readonly isVisible: (topic: string) => boolean;
}

export interface Reader {
  messages(selection: MessageSelection & Budgeted, after?: string): Promise<Page<Message>>;
  topics(selection: TopicSelection, after?: string): Promise<Page<KnownTopic>>;
  /** Some of the known topics that filters match; few are looked at. */
  near(filters: readonly string[], budget: ReadBudget): Promise<string[]>;
  /**
   * The message of every topic that was stored last. A topic is left out where hundreds of expired messages, which DynamoDB has
   * still to delete, lie above the newest that has not expired.
   */
  latest(selection: TopicSelection, after?: string): Promise<Page<Message>>;
  /** Messages of all topics that filters match. */
  readonly exported: ReadExport;
}

/** So far behind the newest message may the registry be, and a minute more. */
const registryLagMs = 3 * 60_000;
/** Topics whose newest message is read side by side. */
const topicsAtOnce = 25;

/** Messages of one topic that are passed over to find the one that was stored last. */
const maxPassedOver = 500;

/** Topics that are looked at to find one that may have been meant: 20 KB. */
const maxNear = 100;

export function createReader(options: StoredMessagesOptions): Reader {
  const storage = createStoredMessages(options);

  async function messages(
    selection: MessageSelection & Budgeted,
    after?: string,
  ): Promise<Page<Message>> {
    const { topic, from, to, order, limit, budget } = selection;
    const range = { ...timeRange(from, to), newestFirst: order === 'newest', after };
    // One more than the page has, to know whether it is the last.
    const bounds = { maxQueries: maxQueriesPerPage, firstItems: limit + 1, budget };
    const steps = storage.messageSteps(topic, range, bounds);
    const items = await collectPage(steps, { limit, pick: itself, bytesOf: wholeBytesOf });
    const entries: Message[] = [];
    let passed = after;
    for (const item of items.entries) {
      if (entries.length > 0 && !(await mayReadWhole(item, budget))) return pageOf(entries, passed);
      entries.push(await storage.whole(item, budget));
      passed = item['sk']?.S;
    }
    return { ...items, entries };
  }

  function topics(
    selection: TopicSelection,
    after?: string,
    stored: StoredMessages = storage,
  ): Promise<Page<KnownTopic>> {
    const { filters, limit, isVisible, budget } = selection;
    const bounds = { maxQueries: maxQueriesPerPage, firstItems: limit + 1, budget };
    return collectPage(stored.topicSteps(filters, after, bounds), {
      limit,
      pick(item) {
        const known = knownTopicOf(item);
        const isWanted = filters.some((filter) => matchesFilter(filter, known.topic));
        return isWanted && isVisible(known.topic) ? known : undefined;
      },
      bytesOf: wholeBytesOf,
    });
  }

  async function near(filters: readonly string[], budget: ReadBudget): Promise<string[]> {
    const found: string[] = [];
    const bounds = { maxQueries: 1, maxItems: maxNear, budget };
    for await (const { item } of storage.topicSteps(filters, undefined, bounds)) {
      const topic = item && knownTopicOf(item).topic;
      if (topic !== undefined && filters.some((filter) => matchesFilter(filter, topic)))
        found.push(topic);
    }
    return found;
  }

  async function newestItem(
    stored: StoredMessages,
    topic: string,
    budget: ReadBudget,
    look: { readonly to?: string; readonly receivedAfter?: string; readonly maxItems: number },
  ): Promise<Item | undefined> {
    const { to, receivedAfter, maxItems } = look;
    const range = { ...timeRange(undefined, to), newestFirst: true };
    const bounds = { maxQueries: 1, maxItems, budget: budget.unbounded() };
    for await (const { item } of stored.messageSteps(topic, range, bounds))
      if (item && (receivedAfter === undefined || item['receivedAfter']?.S === receivedAfter))
        return item;
    return undefined;
  }

  /** The item that was stored last, where the one with the greatest time is none, or is not it. */
  async function lastStoredItem(
    stored: StoredMessages,
    { topic, lastSeen, receivedAfter }: KnownTopic,
    greatest: Item | undefined,
    budget: ReadBudget,
  ): Promise<Item | undefined> {
    const look = { maxItems: maxPassedOver };
    if (greatest === undefined || receivedAfter === undefined)
      return newestItem(stored, topic, budget, look);
    const to = timeText(Date.parse(lastSeen) + registryLagMs);
    return (await newestItem(stored, topic, budget, { ...look, to, receivedAfter })) ?? greatest;
  }

  async function latest(selection: TopicSelection, after?: string): Promise<Page<Message>> {
    const stored = storage.snapshot();
    const known = await topics(selection, after, stored);
    const { budget } = selection;
    const entries: Message[] = [];
    let bytes = 0;
    let passed = after;
    for (let start = 0; start < known.entries.length; start += topicsAtOnce) {
      if (start > 0 && !(await budget.mayRead())) return pageOf(entries, passed);
      const newest = await Promise.all(
        known.entries.slice(start, start + topicsAtOnce).map(async (entry) => ({
          entry,
          greatest: await newestItem(stored, entry.topic, budget, { maxItems: 1 }),
        })),
      );
      for (const { entry, greatest } of newest) {
        const isFound = greatest !== undefined && isStoredLast(greatest, entry);
        // What takes more is looked for one topic after the other, as it may be much to read.
        if (!isFound && passed !== after && !(await budget.mayRead()))
          return pageOf(entries, passed);
        const item = isFound ? greatest : await lastStoredItem(stored, entry, greatest, budget);
        if (item !== undefined) {
          bytes += wholeBytesOf(item);
          if (entries.length > 0 && (bytes > maxPageBytes || !(await mayReadWhole(item, budget))))
            return pageOf(entries, passed);
          entries.push(await stored.whole(item, budget));
        }
        passed = topicKey(entry.topic);
      }
    }
    return pageOf(entries, known.next);
  }

  return {
    messages,
    topics: (selection, after) => topics(selection, after),
    near,
    latest,
    exported: createReadExport(options),
  };
}

/** Where a payload stands in chunks, they are read for one message after the other, as they may be much. */
async function mayReadWhole(item: Item, budget: ReadBudget): Promise<boolean> {
  return chunkedPayloadOf(item) === undefined || budget.isPaid();
}

/** Whether the message with the greatest time was stored last: not where the bridge's clock has been set back since. */
function isStoredLast(greatest: Item, { receivedAfter }: KnownTopic): boolean {
  if (receivedAfter === undefined) return true;
  const { time, receivedAfter: itsOwn } = messageOf(greatest);
  return time > receivedAfter || itsOwn === receivedAfter;
}

function itself(item: Item): Item {
  return item;
}
