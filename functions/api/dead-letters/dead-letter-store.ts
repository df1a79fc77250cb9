// Dead letters as the api sees them: lists, reads and deletes what the bridge put into the table.
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { decodeKeptEnvelope } from '../../contract/envelope-decoding.ts';
import type { Message } from '../../contract/message.ts';
import {
  type DeadLetterSummary,
  deadLetterPartition,
  deadLetterSummaryOf,
  summaryAttributes,
  unexpiredDeadLetters,
} from '../../table/dead-letter.ts';
import { readPartition } from '../../table/partition.ts';
import type { ReadBudget } from '../../table/read-budget.ts';
import { chunksOf, createStoredDeadLetters } from '../../table/stored-dead-letters.ts';
import type { ReplayDeadLetter } from '../bridge-client/bridge-client.ts';
import { collectPage, maxQueriesPerPage, type Page } from '../interface/page.ts';

export interface DeadLetterSelection {
  readonly limit: number;
  /** Name of a route; default all. */
  readonly route?: string | undefined;
  /** The whole reason, as it is told; default any. */
  readonly reason?: string | undefined;
  /** Whether a topic belongs to the list. */
  readonly isVisible: (topic: string) => boolean;
  readonly budget: ReadBudget;
}

/** Dead letters of one route that have one reason. */
export interface DeadLetterGroup {
  readonly route: string;
  readonly reason: string;
  readonly count: number;
  /** When the newest of their messages was received. */
  readonly newestAt: string;
}

/** Largest groups first; `readUntil` is the time down to which all were counted, absent where that is all. */
export interface DeadLetterCounts {
  readonly groups: readonly DeadLetterGroup[];
  readonly readUntil?: string;
}

/** Groups that are told. */
const maxGroups = 200;

/** Ids are those of {@link DeadLetterSummary}. */
export interface DeadLetters {
  /** Newest first, by the time at which the messages were received. */
  list(selection: DeadLetterSelection, after?: string): Promise<Page<DeadLetterSummary>>;
  /** How many there are by route and reason, from the newest on, as far as the budget goes. */
  count(selection: Omit<DeadLetterSelection, 'limit'>): Promise<DeadLetterCounts>;
  find(id: string, budget: ReadBudget): Promise<DeadLetterSummary | undefined>;
  /** The message, exactly as it was received; undefined where the dead letter is gone. */
  message(id: string, budget: ReadBudget): Promise<Message | undefined>;
  /** Deletes it. What is gone already stays so. */
  remove(id: string, budget: ReadBudget): Promise<void>;
  readonly replay: ReplayDeadLetter;
}

export interface DeadLetterOptions {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  readonly replay: ReplayDeadLetter;
}

export function createDeadLetters({ client, tableName, replay }: DeadLetterOptions): DeadLetters {
  const source = { client, tableName };
  const stored = createStoredDeadLetters(source);

  async function find(id: string, budget: ReadBudget): Promise<DeadLetterSummary | undefined> {
    const main = await stored.find(id, summaryAttributes, budget);
    return main && deadLetterSummaryOf(main);
  }

  function list(selection: DeadLetterSelection, after?: string): Promise<Page<DeadLetterSummary>> {
    const { limit, route, reason, isVisible, budget } = selection;
    const range = { low: '0', high: '9', newestFirst: true, after };
    const steps = readPartition(source, deadLetterPartition, range, {
      maxQueries: maxQueriesPerPage,
      firstItems: limit + 1,
      budget,
      attributes: summaryAttributes,
      filter: unexpiredDeadLetters(Date.now(), { route, reason }),
    });
    return collectPage(steps, {
      limit,
      pick(item) {
        const summary = deadLetterSummaryOf(item);
        return isVisible(summary.topic) ? summary : undefined;
      },
      bytesOf: (item) => Buffer.byteLength(item['topic']?.S ?? ''),
    });
  }

  async function count({
    route,
    reason,
    isVisible,
    budget,
  }: Omit<DeadLetterSelection, 'limit'>): Promise<DeadLetterCounts> {
    const range = { low: '0', high: '9', newestFirst: true };
    const steps = readPartition(source, deadLetterPartition, range, {
      maxQueries: maxQueriesPerPage,
      budget,
      attributes: summaryAttributes,
      filter: unexpiredDeadLetters(Date.now(), { route, reason }),
    });
    const groups = new Map<string, DeadLetterGroup>();
    let reached = '';
    for (;;) {
      const { done, value } = await steps.next();
      if (done === true) {
        const largest = [...groups.values()].sort((a, b) => b.count - a.count).slice(0, maxGroups);
        return value ? { groups: largest } : { groups: largest, readUntil: timeOf(reached) };
      }
      reached = value.key;
      const summary = value.item && deadLetterSummaryOf(value.item);
      if (summary === undefined || !isVisible(summary.topic)) continue;
      const key = JSON.stringify([summary.route, summary.reason]);
      const group = groups.get(key);
      groups.set(key, {
        route: summary.route,
        reason: summary.reason,
        count: (group?.count ?? 0) + 1,
        newestAt: group?.newestAt ?? timeOf(summary.id),
      });
    }
  }

  async function message(id: string, budget: ReadBudget): Promise<Message | undefined> {
    const main = await stored.find(id, undefined, budget);
    return main && decodeKeptEnvelope(await stored.envelope(main, budget));
  }

  async function remove(id: string, budget: ReadBudget): Promise<void> {
    const main = await stored.find(id, 'expiresAt, chunks', budget);
    if (main !== undefined) await stored.remove(id, chunksOf(main));
  }

  return { list, count, find, message, remove, replay };
}

/** When the message of a dead letter was received: its id begins with that. */
function timeOf(id: string): string {
  return id.slice(0, id.indexOf('#'));
}
