// An entry of the feed: the names of what one or more requests have stored, as an item of the table. It says where the
// messages are and repeats none of them.
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { type SegmentId, segmentIdOf, segmentKey } from '../segments/segment-key.ts';
import { type Item, textAt } from '../table/item.ts';

/** A message that was stored; `key` is its sort key, `time#id`. */
export interface FeedMessage {
  readonly topic: string;
  readonly key: string;
}

/** Messages that are found in one way: as items of their own, over so many shards, or in one segment. */
export interface FeedPart {
  readonly place:
    | { readonly kind: 'items'; readonly shards: number }
    | { readonly kind: 'segment'; readonly id: SegmentId };
  readonly messages: readonly FeedMessage[];
}

export interface FeedEntry {
  readonly writer: string;
  /** Sorts the entries of a writer: its stamp, and a number that tells apart those of one millisecond. */
  readonly key: string;
  readonly stampMs: number;
  readonly parts: readonly FeedPart[];
  /** Since when its writer may have stored what no entry names, in milliseconds; absent where it has not. */
  readonly missedSinceMs?: number | undefined;
}

export const writerLength = 6;
const stampLength = 9;
const sequenceLength = 3;
export const entrySequences = 36 ** sequenceLength;
export const entryKeyLength = stampLength + sequenceLength;

/** Characters of the names in one item, before they are deflated. */
const maxNames = 256 * 1024;
/** What is read of an item: names may take three bytes a character, and JSON six. */
const maxInflated = 8 * 1024 * 1024;

/** Partition of the entries of one writer. */
export function feedPartition(writer: string): string {
  return `feed/${writer}`;
}

/** The beginning of the keys of this stamp; those of later ones sort behind. */
export function stampKey(stampMs: number): string {
  return Math.max(0, stampMs).toString(36).padStart(stampLength, '0');
}

export function entryKey(stampMs: number, sequence: number): string {
  return `${stampKey(stampMs)}${sequence.toString(36).padStart(sequenceLength, '0')}`;
}

export function stampOf(key: string): number {
  return Number.parseInt(key.slice(0, stampLength), 36);
}

/** Parts in as many groups as items are needed for their names; each is an entry of its own. */
export function* groupsOf(parts: readonly FeedPart[]): Generator<FeedPart[]> {
  let group: FeedPart[] = [];
  let size = 0;
  for (const { place, messages } of parts) {
    let taken: FeedMessage[] = [];
    for (const message of messages) {
      const length = message.topic.length + message.key.length;
      if (size > 0 && size + length > maxNames) {
        if (taken.length > 0) group.push({ place, messages: taken });
        yield group;
        [group, taken, size] = [[], [], 0];
      }
      taken.push(message);
      size += length;
    }
    if (taken.length > 0) group.push({ place, messages: taken });
  }
  if (group.length > 0) yield group;
}

/** As it is written: shards or a segment, and the keys of each topic. */
type Written = [number | string, [topic: string, ...keys: string[]][]];

export function feedItem(entry: FeedEntry, expiresAtSeconds: number): Item {
  const written = entry.parts.map(({ place, messages }): Written => {
    const topics = new Map<string, [string, ...string[]]>();
    for (const { topic, key } of messages) {
      const known = topics.get(topic);
      if (known === undefined) topics.set(topic, [topic, key]);
      else known.push(key);
    }
    return [
      place.kind === 'items' ? place.shards : segmentText(place.id, messages),
      [...topics.values()],
    ];
  });
  return {
    pk: { S: feedPartition(entry.writer) },
    sk: { S: entry.key },
    names: { B: deflateRawSync(JSON.stringify(written)) },
    ...(entry.missedSinceMs !== undefined && { missedSinceMs: { N: String(entry.missedSinceMs) } }),
    expiresAt: { N: String(expiresAtSeconds) },
  };
}

/** The entry of an item. Throws where it is none: that is a bug or a foreign write. */
export function feedEntryOf(item: Item): FeedEntry {
  const key = textAt(item, 'sk');
  const names = inflateRawSync(item['names']?.B ?? new Uint8Array(), {
    maxOutputLength: maxInflated,
  });
  const written = JSON.parse(names.toString('utf8')) as Written[];
  const missed = item['missedSinceMs']?.N;
  return {
    writer: textAt(item, 'pk').slice(feedPartition('').length),
    key,
    stampMs: stampOf(key),
    parts: written.map(([place, topics]) => ({
      place:
        typeof place === 'number'
          ? { kind: 'items', shards: place }
          : { kind: 'segment', id: segmentOf(place) },
      messages: topics.flatMap(([topic, ...keys]) => keys.map((one) => ({ topic, key: one }))),
    })),
    ...(missed !== undefined && { missedSinceMs: Number(missed) }),
  };
}

/** A segment by the key that it has in the table. */
function segmentText(id: SegmentId, [first]: readonly FeedMessage[]): string {
  const { pk, sk } = segmentKey(id, first?.topic ?? '');
  return `${pk.S} ${sk.S}`;
}

function segmentOf(text: string): SegmentId {
  const [pk = '', sk = ''] = text.split(' ');
  return segmentIdOf({ pk: { S: pk }, sk: { S: sk } });
}
