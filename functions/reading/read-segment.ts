// A segment as a reader has it: its messages come out as the items that they would have been by themselves.
import { decodeSegment } from '../segments/segment-codec.ts';
import type { StoredSegment } from '../segments/stored-segments.ts';
import { type Item, messageItem, messageSortKey } from '../table/item.ts';

/** A message as an item, and its sort key. */
export interface PackedItem {
  readonly key: string;
  readonly item: Item;
}

const daySeconds = 86_400;

/** A segment that cannot be read: it is damaged, or of a later version of this code. */
export class DamagedSegment extends Error {}

export class ReadSegment {
  readonly #segment: StoredSegment;
  /** Many topics are asked for in a row; what takes memory for long must not stay. */
  #byTopic: WeakRef<Map<string, PackedItem[]>> | undefined;

  constructor(segment: StoredSegment) {
    this.#segment = segment;
  }

  /** Its messages of a topic. Throws a {@link DamagedSegment}. */
  itemsOf(topic: string): readonly PackedItem[] {
    return this.#read().get(topic) ?? [];
  }

  #read(): Map<string, PackedItem[]> {
    const kept = this.#byTopic?.deref();
    if (kept !== undefined) return kept;
    const { id, bytes } = this.#segment;
    const decoded = decodeSegment(bytes);
    if (!decoded.ok)
      throw new DamagedSegment(`the segment ${JSON.stringify(id)} is ${decoded.fault}`);
    const { retentionDays, messages } = decoded.value;
    const byTopic = new Map<string, PackedItem[]>();
    for (const message of messages) {
      const seconds = Math.floor(Date.parse(message.time) / 1000) + retentionDays * daySeconds;
      const packed = {
        key: messageSortKey(message),
        item: messageItem(message, { expiresAtSeconds: seconds }),
      };
      const others = byTopic.get(message.topic);
      if (others === undefined) byTopic.set(message.topic, [packed]);
      else others.push(packed);
    }
    this.#byTopic = new WeakRef(byTopic);
    return byTopic;
  }
}
