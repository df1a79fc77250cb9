// Reads messages of many topics for an export: topic by topic, oldest first, as much as fits an answer.
import * as z from 'zod';
import type { Message } from '../../contract/message.ts';
import { matchesFilter } from '../../contract/topic.ts';
import {
  createStoredMessages,
  type StoredMessages,
  type StoredMessagesOptions,
  timeRange,
} from '../../reading/stored-messages.ts';
import { chunkedPayloadOf, topicKey } from '../../table/item.ts';
import { knownTopicOf } from '../../table/known-topic.ts';
import { ReadBudget } from '../../table/read-budget.ts';
import { maxQueriesPerPage, type Page, pageOf } from '../interface/page.ts';

export interface ExportSelection {
  /** Topic filters: what the caller asked for, as far as the caller may read it. */
  readonly filters: readonly string[];
  /** Whether the caller may read a topic: the filters say so too, and no mistake in them may show more. */
  readonly isVisible: (topic: string) => boolean;
  readonly budget: ReadBudget;
  /** First time of receipt that belongs to it, and first that no longer does; RFC 3339, UTC, microseconds. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** A message as it stands in the answer. */
  readonly render: (message: Message) => string;
}

/** A page of rendered messages; it goes on after `after`, the `next` of the page before. */
export type ReadExport = (selection: ExportSelection, after?: string) => Promise<Page<string>>;

/**
 * Bytes in one answer, unless its only message has more. Lambda takes 6 MB, and what API Gateway knows as no text is a third
 * longer on that way.
 */
const maxAnswerBytes = 3 * 1024 * 1024;
/** Topics that are looked up at once. */
const topicsAtOnce = 100;

/** Done up to this key of the registry; of the topic there, where it is told, only up to `key`. */
const positionSchema = z.object({
  registry: z.string().optional(),
  topic: z.string().optional(),
  key: z.string().optional(),
});
type Position = z.output<typeof positionSchema>;

export function createReadExport(options: StoredMessagesOptions): ReadExport {
  const storage = createStoredMessages(options);

  return async (asked, after) => {
    const stored = storage.snapshot();
    const page = new ExportPage();
    const budget = page.budgetOf(asked.budget);
    const selection = { ...asked, budget };
    const { filters, isVisible } = selection;
    const isWanted = (topic: string) =>
      filters.some((filter) => matchesFilter(filter, topic)) && isVisible(topic);
    const position: Position = after === undefined ? {} : positionSchema.parse(JSON.parse(after));
    const { registry, topic: begun } = position;
    if (begun !== undefined && isWanted(begun)) {
      const reached = await readTopic(stored, begun, { selection, page, after: position.key });
      if (reached !== undefined) return page.until({ registry, topic: begun, key: reached.key });
      page.hasMoved = true;
    }
    const bounds = { maxQueries: maxQueriesPerPage, firstItems: topicsAtOnce, budget };
    const topics = stored.topicSteps(filters, registry, bounds);
    let passed = registry;
    for (;;) {
      const { done, value } = await topics.next();
      if (done === true)
        return value ? pageOf(page.entries, undefined) : page.until({ registry: passed });
      const topic = value.item && knownTopicOf(value.item).topic;
      if (topic !== undefined && isWanted(topic)) {
        if (!(await budget.mayRead())) return page.until({ registry: passed });
        const reached = await readTopic(stored, topic, { selection, page, after: undefined });
        if (reached !== undefined)
          return page.until({ registry: topicKey(topic), topic, key: reached.key });
      }
      passed = value.key;
      page.hasMoved = true;
    }
  };
}

/** What an answer has so far. */
class ExportPage {
  readonly entries: string[] = [];
  /** Whether the next answer begins further on than this one did. */
  hasMoved = false;
  #bytes = 0;

  /** The budget, which ends nothing before the answer has moved on: what was deleted or packed may take all of it to know. */
  budgetOf(budget: ReadBudget): ReadBudget {
    return new ReadBudget(Number.POSITIVE_INFINITY, {
      book: (units) => budget.book(units),
      mayHold: (bytes) => budget.mayHold(bytes),
      mayRead: async () => !this.hasMoved || budget.mayRead(),
    });
  }

  /** Whether it fits; what does not is not taken. */
  add(entry: string): boolean {
    const bytes = Buffer.byteLength(entry);
    if (this.entries.length > 0 && this.#bytes + bytes > maxAnswerBytes) return false;
    this.#bytes += bytes;
    this.entries.push(entry);
    return true;
  }

  until(position: Position): Page<string> {
    return pageOf(this.entries, JSON.stringify(position));
  }
}

interface TopicReading {
  readonly selection: ExportSelection;
  readonly page: ExportPage;
  readonly after: string | undefined;
}

/** Adds a topic's messages. Undefined at its end; else the key that it goes on after, which is none before the first. */
async function readTopic(
  stored: StoredMessages,
  topic: string,
  { selection: { from, to, budget, render }, page, after }: TopicReading,
): Promise<{ readonly key: string | undefined } | undefined> {
  const range = { ...timeRange(from, to), after };
  const steps = stored.messageSteps(topic, range, { maxQueries: maxQueriesPerPage, budget });
  let key = after;
  for (;;) {
    const { done, value } = await steps.next();
    if (done === true) return value ? undefined : { key };
    const { item } = value;
    if (item !== undefined) {
      const isFirst = page.entries.length === 0;
      // A payload may stand in chunks, and they cost by themselves.
      if (!isFirst && chunkedPayloadOf(item) !== undefined && !(await budget.mayRead()))
        return { key };
      if (!page.add(render(await stored.whole(item, budget)))) return { key };
    }
    key = value.key;
    page.hasMoved = true;
  }
}
