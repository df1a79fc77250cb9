// Reads what is stored: the registry of topics by filter, a topic's messages over all its shards, and whole messages
// from items. The api answers with it, and the bridge replays from it.
import { itemBytes, joinChunks } from './chunks.ts';
import {
  checkedShards,
  chunkedPayloadOf,
  type Item,
  maxKeyTopicBytes,
  messageChunksPartition,
  messageOf,
  messagePartition,
  payloadDigest,
  topicKey,
} from './item.ts';
import { topicsPartition } from './known-topic.ts';
import type { Message } from './message.ts';
import {
  concatSteps,
  type ItemSource,
  mergeSteps,
  type ReadOptions,
  readChunks,
  readPartition,
  type SortKeyRange,
  type Steps,
  unexpired,
} from './partition.ts';
import { literalPrefix } from './topic.ts';

export interface StoredMessagesOptions extends ItemSource {
  /**
   * Shards that a topic's messages are spread over, 1 to 32: at least as many as ingest has ever written with within
   * the retention. Default 1.
   */
  readonly writeShards?: number | undefined;
  readonly now?: () => number;
}

/** How much is read at once, and at most. */
export type ReadBounds = Pick<ReadOptions, 'mostQueries' | 'firstItems' | 'attributes'>;

export interface StoredMessages {
  /** The part of the registry where topics that `filter` matches can stand; others are among them. */
  topicSteps(filter: string, after: string | undefined, bounds: ReadBounds): Steps;
  /** A topic's messages that have not expired, by time. */
  messageSteps(topic: string, range: SortKeyRange, bounds: ReadBounds): Steps;
  /** The message of an item, with its payload wherever that is. Rejects with a {@link DamagedMessage} where that is gone. */
  whole(item: Item): Promise<Message>;
}

/** No topic contains this noncharacter, and none sorts behind it. */
const lastCharacter = '\u{10ffff}';

export function createStoredMessages(options: StoredMessagesOptions): StoredMessages {
  const { client, tableName, now = Date.now } = options;
  const writeShards = checkedShards(options.writeShards ?? 1);
  const source = { client, tableName };
  const read = (partition: string, range: SortKeyRange, bounds: ReadBounds) =>
    readPartition(source, partition, range, { ...bounds, filter: unexpired(now()) });

  return {
    topicSteps: (filter, after, bounds) =>
      concatSteps(
        registryRanges(filter, after).map((range) => read(topicsPartition, range, bounds)),
      ),
    messageSteps(topic, range, { firstItems, ...bounds }) {
      // A shard has its share of a page, more or less: twice that is seldom not enough.
      const share = firstItems && Math.min(firstItems, Math.ceil((2 * firstItems) / writeShards));
      const shards = Array.from({ length: writeShards }, (_, shard) =>
        read(messagePartition(topic, shard), range, {
          ...bounds,
          ...(share !== undefined && { firstItems: share }),
        }),
      );
      return mergeSteps(shards, range.newestFirst);
    },
    whole: (item) => wholeMessageOf(item, source),
  };
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

async function wholeMessageOf(item: Item, source: ItemSource): Promise<Message> {
  const chunked = chunkedPayloadOf(item);
  const message = messageOf(item);
  if (chunked === undefined) return message;
  const partition = messageChunksPartition(message);
  const chunks = await readChunks(source, partition, chunked.chunks);
  if (chunks.length !== chunked.chunks)
    throw new DamagedMessage(
      `of its ${chunked.chunks} chunks ${chunked.chunks - chunks.length} are missing`,
    );
  const payload = joinChunks(chunks);
  if (Buffer.compare(payloadDigest(payload), chunked.sha256) !== 0)
    throw new DamagedMessage('its chunks do not make the payload they were made from');
  return { ...message, payload };
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
