// A deletion: messages of a topic that nobody may see any more, by their times. Readers obey it from the moment it is
// written; single messages go at once, packed ones leave the index when it is rewritten, and the log when they expire.
import { randomUUID } from 'node:crypto';
import { timeText } from '../contract/time.ts';
import { getBatch } from './batch-get.ts';
import { type Item, textAt, topicKeyWithin } from './item.ts';
import { type ItemSource, readPartition } from './partition.ts';
import type { ReadBudget } from './read-budget.ts';

export interface Deletion {
  readonly topic: string;
  /** First time of receipt that is deleted: RFC 3339, UTC, microseconds; absent where all before `to` is. */
  readonly from?: string | undefined;
  /** First time of receipt that is not. */
  readonly to: string;
}

/**
 * Maximum number of deletions that there are, where those of a topic that overlap are one. Who looks at many topics reads them all:
 * these take 128 read units, the 1 MB of one query.
 */
export const maxDeletions = 4000;

/** Partition of all deletions, sorted by topic. */
const deletionsPartition = 'deletions';

/** Who keeps what it has read of them asks for this alone. */
const markKey = { pk: { S: 'deletions-mark' }, sk: { S: 'mark' } };

/** Ends a topic in a sort key: no topic has it [MQTT-1.5.4-2]. */
const endOfTopic = '\u0000';

/** Of a topic in a sort key, which takes 1,024: two times stand behind it. */
const maxTopicBytes = 960;

/** A deletion outlives what it deletes: messages are kept for ten years at most. */
const longestRetentionSeconds = 3650 * 86_400;

/** Two of one topic with the same end are one, the longer: `from` stands in it alone. */
export function deletionItem({ topic, from, to }: Deletion): Item {
  return {
    pk: { S: deletionsPartition },
    sk: {
      S: `${topicKeyWithin(maxTopicBytes, topic)}${endOfTopic}${to}${from === undefined ? '' : `/${from}`}`,
    },
    topic: { S: topic },
    ...(from !== undefined && { from: { S: from } }),
    to: { S: to },
    expiresAt: { N: String(Math.ceil(Date.parse(to) / 1000) + longestRetentionSeconds) },
  };
}

/** The deletion that an item is. Throws where it is none: that is a bug or a foreign write. */
export function deletionOf(item: Item): Deletion {
  const from = item['from']?.S;
  return {
    topic: textAt(item, 'topic'),
    ...(from !== undefined && { from }),
    to: textAt(item, 'to'),
  };
}

/** Another one with each deletion: to be written behind it, before anybody is told of it. */
export function deletionMarkItem(): Item {
  return { ...markKey, mark: { S: randomUUID() } };
}

/** The mark of the last deletion; while it is the same, nothing else is deleted. Undefined where nothing ever was. */
export async function readDeletionMark(source: ItemSource): Promise<string | undefined> {
  const [item] = await getBatch(source, [markKey]);
  return item && textAt(item, 'mark');
}

/** A deletion together with those of its topic that it overlaps or touches: one for all of them, and what it replaces. */
export function joinedWith(
  deletion: Deletion,
  others: readonly Deletion[],
): { readonly joined: Deletion; readonly replaced: readonly Deletion[] } {
  const startOf = ({ from = '' }: Deletion) => from;
  const replaced = others.filter(
    (other) => startOf(other) <= deletion.to && startOf(deletion) <= other.to,
  );
  const all = [deletion, ...replaced];
  const from = all.map(startOf).reduce((a, b) => (a < b ? a : b));
  const to = all.map((one) => one.to).reduce((a, b) => (a > b ? a : b));
  return { joined: { topic: deletion.topic, ...(from !== '' && { from }), to }, replaced };
}

/** What is deleted: which messages, and which topics as a whole. */
export class Deletions {
  readonly #byTopic = new Map<string, Deletion[]>();
  readonly count: number;

  constructor(deletions: readonly Deletion[] = []) {
    this.count = deletions.length;
    for (const deletion of deletions) {
      const others = this.#byTopic.get(deletion.topic);
      if (others === undefined) this.#byTopic.set(deletion.topic, [deletion]);
      else others.push(deletion);
    }
  }

  of(topic: string): readonly Deletion[] {
    return this.#byTopic.get(topic) ?? [];
  }

  /** Whether a message of this time is deleted. */
  has(topic: string, time: string): boolean {
    return this.#hasAll(topic, time, time);
  }

  /** Whether all messages of some milliseconds are, both included. */
  hasAllOf(topic: string, firstMs: number, lastMs: number): boolean {
    return this.#byTopic.has(topic) && this.#hasAll(topic, timeText(firstMs), timeText(lastMs + 1));
  }

  /** Whether all messages up to a millisecond are. */
  hasAllUpTo(topic: string, lastMs: number): boolean {
    return this.#byTopic.has(topic) && this.#hasAll(topic, '', timeText(lastMs + 1));
  }

  #hasAll(topic: string, first: string, last: string): boolean {
    return this.of(topic).some(
      ({ from, to }) => (from === undefined || from <= first) && last < to,
    );
  }
}

export interface DeletionsRead {
  /** Those of one topic; all by default. */
  readonly topic?: string | undefined;
  readonly budget?: ReadBudget | undefined;
  readonly consistent?: boolean;
}

/** Which messages are deleted. */
export async function readDeletions(
  source: ItemSource,
  { topic, budget, consistent = false }: DeletionsRead = {},
): Promise<Deletions> {
  const low = topic === undefined ? ' ' : `${topicKeyWithin(maxTopicBytes, topic)}${endOfTopic}`;
  const high = topic === undefined ? '\u{10ffff}' : `${low}~`;
  const steps = readPartition(
    source,
    deletionsPartition,
    { low, high, newestFirst: false },
    {
      maxQueries: Number.POSITIVE_INFINITY,
      // Nothing that is deleted is shown for want of a unit.
      budget: budget?.unbounded(),
      consistent,
    },
  );
  const found: Deletion[] = [];
  for await (const { item } of steps) if (item !== undefined) found.push(deletionOf(item));
  return new Deletions(found);
}
