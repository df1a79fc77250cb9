// Reads what is stored, in whichever form: the registry of topics by filter, a topic's messages by time, single and packed
// ones as one, and whole messages from items. The api answers with it, and the bridge replays from it.

import type { Message } from '../contract/message.ts';
import { itemBytes, joinChunks } from '../table/chunks.ts';
import { type Deletions, readDeletions } from '../table/deletion.ts';
import { rangesOfFilters } from '../table/filter-ranges.ts';
import {
  checkedShards,
  chunkedPayloadOf,
  type Item,
  messageChunksPartition,
  messageOf,
  messagePartition,
  messageTimeOf,
  payloadDigest,
  topicKey,
} from '../table/item.ts';
import { topicsPartition } from '../table/known-topic.ts';
import {
  type ItemSource,
  type ReadOptions,
  readChunks,
  readPartition,
  type SortKeyRange,
  unexpired,
} from '../table/partition.ts';
import type { ReadBudget } from '../table/read-budget.ts';
import { concatSteps, mergeSteps, type Steps } from '../table/steps.ts';
import { knownTopicSteps, type PackedTopic, packedTopics } from './known-topics.ts';
import { type LogView, openLogView } from './log-view.ts';
import { packedSteps } from './packed-steps.ts';
import { SeenTopics } from './seen-topics.ts';

export interface StoredMessagesOptions extends ItemSource {
  /**
   * Shards that a topic's messages are spread over, 1 to 32: at least as many as ingest has ever written with within
   * the retention. Default 1.
   */
  readonly writeShards?: number | undefined;
  readonly now?: () => number;
}

/** How much is read at once, and at most. */
export type ReadBounds = Pick<
  ReadOptions,
  'maxQueries' | 'maxItems' | 'firstItems' | 'attributes' | 'budget'
>;

export interface StoredMessages {
  /** The parts of the registry where topics that one of `filters` matches can stand; others are among them. */
  topicSteps(filters: readonly string[], after: string | undefined, bounds: ReadBounds): Steps;
  /** A topic's messages that have not expired, by time. */
  messageSteps(topic: string, range: SortKeyRange, bounds: ReadBounds): Steps;
  /** The message of an item, with its payload wherever that is. Rejects with a {@link DamagedMessage} where that is gone. */
  whole(item: Item, budget?: ReadBudget): Promise<Message>;
}

export interface MessageStorage extends StoredMessages {
  /**
   * What is stored, for a look at many topics: what is packed is seen as it stands at the first of them, and is not read
   * again for each. What is deleted meanwhile is not seen, ten seconds later at the latest.
   */
  snapshot(): StoredMessages;
}

/** Deletions of all topics are read again after so long. */
const deletionsHoldMs = 10_000;

export function createStoredMessages(options: StoredMessagesOptions): MessageStorage {
  const { client, tableName, now = Date.now } = options;
  const writeShards = checkedShards(options.writeShards ?? 1);
  const source = { client, tableName };
  const read = (partition: string, range: SortKeyRange, bounds: ReadBounds) =>
    readPartition(source, partition, range, { ...bounds, filter: unexpired(now()) });

  function reading(viewOf: ViewOf, deletionsOf: DeletionsOf, seen?: SeenTopics): StoredMessages {
    async function* topicsOfRange(range: SortKeyRange, bounds: ReadBounds): Steps {
      const items = read(topicsPartition, range, bounds);
      const { budget } = bounds;
      const [view, deletions] = await Promise.all([viewOf(budget), deletionsOf(undefined, budget)]);
      const packed = packedTopics(view, range, { budget, deletions, nowMs: now() });
      const onPacked =
        seen && ((topic: PackedTopic, isSingle: boolean) => seen.note(topic, isSingle));
      return yield* knownTopicSteps(items, packed, { budget, onPacked });
    }

    async function* packedMessages(
      topic: string,
      range: SortKeyRange,
      bounds: ReadBounds,
      deleted: Promise<Deletions>,
    ): Steps {
      const [view, deletions] = await Promise.all([viewOf(bounds.budget), deleted]);
      const { runs: summaries } = seen?.of(topic) ?? {};
      const options = { ...bounds, nowMs: now(), deletions, summaries };
      return yield* packedSteps(view, topic, range, options);
    }

    return {
      topicSteps: (filters, after, bounds) =>
        concatSteps(
          rangesOfFilters(filters, after, topicKey).map((range) => ({
            steps: topicsOfRange(range, bounds),
            end: range.high,
          })),
        ),
      messageSteps(topic, range, bounds) {
        const { firstItems } = bounds;
        const isPackedOnly = seen?.of(topic)?.isSingle === false;
        // A shard has its share of a page, more or less: twice that is seldom not enough.
        const share = firstItems && Math.min(firstItems, Math.ceil((2 * firstItems) / writeShards));
        const shards = Array.from({ length: isPackedOnly ? 0 : writeShards }, (_, shard) =>
          read(messagePartition(topic, shard), range, {
            ...bounds,
            ...(share !== undefined && { firstItems: share }),
          }),
        );
        const deletions = deletionsOf(topic, bounds.budget);
        // A caller that has not begun to read is not told of it here, but where it begins.
        deletions.catch(() => {});
        const packed = packedMessages(topic, range, bounds, deletions);
        return withoutDeleted(mergeSteps([...shards, packed], range.newestFirst), topic, deletions);
      },
      whole: (item, budget) => wholeMessageOf(item, source, budget),
    };
  }

  return {
    ...reading(
      (budget) => openLogView(source, budget),
      (topic, budget) => readDeletions(source, { topic, budget }),
    ),
    snapshot() {
      let view: Promise<LogView> | undefined;
      let deletions: { readonly atMs: number; readonly read: Promise<Deletions> } | undefined;
      return reading(
        (budget) => {
          view ??= openLogView(source, budget);
          return view;
        },
        (_, budget) => {
          const atMs = now();
          // A replay may take hours. A clock that was set back must not make them last.
          if (deletions === undefined || Math.abs(atMs - deletions.atMs) > deletionsHoldMs)
            deletions = { atMs, read: readDeletions(source, { budget }) };
          return deletions.read;
        },
        new SeenTopics(),
      );
    },
  };
}

type ViewOf = (budget: ReadBudget | undefined) => Promise<LogView>;
/** The deletions of a topic, or of all. */
type DeletionsOf = (
  topic: string | undefined,
  budget: ReadBudget | undefined,
) => Promise<Deletions>;

/** The steps of a topic's messages; what is deleted is passed over, and may still be there. */
async function* withoutDeleted(steps: Steps, topic: string, deleted: Promise<Deletions>): Steps {
  let [deletions, next] = await Promise.all([deleted, steps.next()]);
  for (; next.done !== true; next = await steps.next()) {
    const { key, item } = next.value;
    const isDeleted = item !== undefined && deletions.has(topic, messageTimeOf(key));
    yield isDeleted ? { key } : next.value;
  }
  return next.value;
}

/** Sort keys of a topic's messages from a time on, and before another: they are `time#id`. */
export function timeRange(from: string | undefined, to: string | undefined): SortKeyRange {
  // A bare time sorts before all of its moment, so `to` is left out.
  return { low: from ?? '0', high: to ?? '9', newestFirst: false };
}

/** Bytes that an item takes once its payload is read, wherever that is stored. */
export function wholeBytesOf(item: Item): number {
  return itemBytes(item) + (chunkedPayloadOf(item)?.bytes ?? 0);
}

/** A stored message whose payload cannot be put together: chunks are written before their item, so this does not pass. */
export class DamagedMessage extends Error {}

async function wholeMessageOf(
  item: Item,
  source: ItemSource,
  budget: ReadBudget | undefined,
): Promise<Message> {
  const chunked = chunkedPayloadOf(item);
  const message = messageOf(item);
  if (chunked === undefined) return message;
  const partition = messageChunksPartition(message);
  const chunks = await readChunks(source, partition, chunked.chunks, budget);
  if (chunks.length !== chunked.chunks)
    throw new DamagedMessage(
      `of its ${chunked.chunks} chunks ${chunked.chunks - chunks.length} are missing`,
    );
  const payload = joinChunks(chunks);
  if (Buffer.compare(payloadDigest(payload), chunked.sha256) !== 0)
    throw new DamagedMessage('its chunks do not make the payload they were made from');
  return { ...message, payload };
}
