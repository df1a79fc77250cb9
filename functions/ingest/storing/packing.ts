// Which segments a request becomes: split by bucket of the topic, and cut where one would be more than one read. Touches nothing.
import type { Message } from '../../contract/message.ts';
import { unpackedBytes } from '../../segments/packable.ts';
import { encodeSegment, maxUnpackedBytes } from '../../segments/segment-codec.ts';
import { bucketOf, bucketsOf, maxLevel } from '../../segments/segment-key.ts';

/** Fewer messages stay items of their own: packed they would cost about as much, and to read one is to read all. */
export const defaultMinPacked = 4;

/** With its keys and attributes an item of so many bytes is read with one unit: 4 KB. */
export const maxSegmentBytes = 4096 - 72;

/** A bucket has so many messages of a request, or there are fewer buckets: of each a started KB is paid whole. */
const minMessages = 30;
/**
 * Or so many bytes of them, three segments, however few they are: a partition key takes 1,000 units a second [DynamoDB
 * quotas], which one bucket of large messages would soon need.
 */
const minLargeBytes = 3 * maxSegmentBytes;
/** Bytes of a segment for each message, from which it is large. */
const largeMessageBytes = 100;

/** What a segment is made of. Its key depends on when it is written. */
export interface Part {
  readonly level: number;
  readonly messages: readonly Message[];
  readonly bytes: Uint8Array;
}

/** Learns from what it packs how small messages become: that decides into how many buckets a request is split. */
export class Packer {
  /** Bytes of a segment, for each byte before it is deflated. */
  #ratio = 0.3;

  /** The segments of messages that can be packed, one at least and no two with one key. */
  pack(messages: readonly Message[], retentionDays: number): Part[] {
    const unpacked = unpackedBytesOf(messages);
    const level = levelOf(messages.length, unpacked * this.#ratio);
    const parts: Part[] = [];
    for (const group of byBucket(messages, level))
      for (const part of this.#cut(group, retentionDays)) parts.push({ level, ...part });
    const packed = parts.reduce((bytes, part) => bytes + part.bytes.byteLength, 0);
    this.#ratio = 0.8 * this.#ratio + (0.2 * packed) / unpacked;
    return parts;
  }

  *#cut(group: readonly Message[], retentionDays: number): Generator<Omit<Part, 'level'>> {
    // At first rather too many for a segment, which is seen; then as the last one of this group has told.
    let ratio = this.#ratio / 1.1;
    const encode = (messages: readonly Message[]) => {
      const bytes = encodeSegment({ retentionDays, messages });
      // Fewer messages deflate a little worse.
      const margin = bytes.byteLength > maxSegmentBytes ? 1.02 : 1;
      ratio = (margin * bytes.byteLength) / unpackedBytesOf(messages);
      return { messages, bytes };
    };
    if (fitting(group, ratio) === group.length) {
      const whole = encode(group);
      if (isSmall(whole)) return yield whole;
    }
    const sorted = group.map((message, place) => ({ message, place })).sort(byTopic);
    // Full parts and a rest: of halves each would have a KB that is started and paid whole.
    for (let left = sorted; left.length > 0; ) {
      let count = left.length;
      for (;;) {
        const messages = left.slice(0, count).map(({ message }) => message);
        count = Math.max(1, Math.min(count, fitting(messages, ratio)));
        // In the order in which they came: times and ids that count up take the fewest bytes.
        const taken = left.slice(0, count).sort((a, b) => a.place - b.place);
        const part = encode(taken.map(({ message }) => message));
        if (isSmall(part)) {
          yield part;
          break;
        }
        count--;
      }
      left = left.slice(count);
    }
  }
}

/** How many of the first fit into a segment, most likely; `ratio` is what of a byte is left when it is deflated. */
function fitting(messages: readonly Message[], ratio: number): number {
  const maxBytes = Math.min(maxUnpackedBytes, maxSegmentBytes / ratio);
  let bytes = 0;
  let count = 0;
  for (const message of messages) {
    bytes += unpackedBytes(message);
    if (bytes > maxBytes && count > 0) break;
    count++;
  }
  return count;
}

function unpackedBytesOf(messages: readonly Message[]): number {
  return messages.reduce((bytes, message) => bytes + unpackedBytes(message), 0);
}

function isSmall({ messages, bytes }: Omit<Part, 'level'>): boolean {
  return bytes.byteLength <= maxSegmentBytes || messages.length === 1;
}

/** The fewest buckets whose share is small enough for one segment, but no more than have enough of the request. */
function levelOf(count: number, bytes: number): number {
  const isLarge = bytes > count * largeMessageBytes;
  const isEnough = (buckets: number) =>
    isLarge ? bytes >= minLargeBytes * buckets : count >= minMessages * buckets;
  let level = 0;
  while (
    level < maxLevel &&
    bytes > maxSegmentBytes * bucketsOf(level) &&
    isEnough(bucketsOf(level + 1))
  )
    level++;
  return level;
}

function byBucket(messages: readonly Message[], level: number): Iterable<readonly Message[]> {
  if (level === 0) return [messages];
  const groups = new Map<number, Message[]>();
  for (const message of messages) {
    const bucket = bucketOf(message.topic, level);
    const group = groups.get(bucket);
    if (group === undefined) groups.set(bucket, [message]);
    else group.push(message);
  }
  return groups.values();
}

interface Placed {
  readonly message: Message;
  readonly place: number;
}

/** What is read for one topic is in few segments then. */
function byTopic(a: Placed, b: Placed): number {
  const [one, other] = [a.message.topic, b.message.topic];
  return one < other ? -1 : one > other ? 1 : a.place - b.place;
}
