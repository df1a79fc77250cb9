// Which messages have been named in the feed: one whose request was sent again is named again, and given once.
import { createHash } from 'node:crypto';
import type { FeedEntry } from '../../feed/feed-entry.ts';
import { stampKey } from '../../feed/feed-entry.ts';
import type { FeedLog } from '../../feed/feed-log.ts';
import { type FeedPosition, type Named, seenKeyOf } from '../../feed/position.ts';

/** How far back is looked for a message that was received long before it was stored, in milliseconds. */
const maxLookBackMs = 3_600_000;
/** Looked for in so many queries of a writer. */
const maxQueries = 10;
/** Names that are remembered: 100 bytes each. */
const maxKeys = 100_000;
/** Names of earlier entries that are remembered. */
const maxEarlier = 100_000;
/** Clocks of the bridge and of ingest may differ by so much. */
const clocksMs = 5000;

export function keyOf(topic: string, key: string): string {
  return createHash('sha1').update(`${key} ${topic}`).digest('base64');
}

export class KnownKeys {
  readonly #log: FeedLog;
  /** With the entry that named it first, in the order of these. */
  readonly #keys = new Map<string, Named>();
  /** Those of before it, as far back as somebody had to look. */
  readonly #earlier = new Set<string>();
  /** All that was named above this stamp is known, or unseen still. */
  #floorMs: number;
  /** Undefined once some of what was read has been forgotten. */
  #from: FeedPosition | undefined;

  /** Nothing is known of what was seen before. */
  constructor(log: FeedLog, from: FeedPosition) {
    this.#log = log;
    this.#from = from;
    this.#floorMs = from.stampMs;
  }

  /** The entry that named it first, where it is known; `earlier` where that was before all that is read here. */
  add(key: string, entry: Named): Named | 'earlier' | undefined {
    if (this.#earlier.has(key)) return 'earlier';
    const known = this.#keys.get(key);
    if (known !== undefined) return known;
    this.#keys.set(key, entry);
    if (this.#keys.size > maxKeys) this.#forget(maxKeys / 10);
    return undefined;
  }

  #forget(count: number): void {
    for (const [key, { stampMs }] of this.#keys) {
      this.#keys.delete(key);
      this.#floorMs = Math.max(this.#floorMs, stampMs);
      if (this.#keys.size <= maxKeys - count) break;
    }
    this.#earlier.clear();
    this.#from = undefined;
  }

  /** Learns what was named since the oldest of these messages was received, as far as that has a bound. */
  async reach(entries: readonly FeedEntry[], writers: readonly string[]): Promise<void> {
    const firstMs = Math.min(...entries.flatMap(({ parts }) => parts.map(receivedMs)));
    const newestMs = Math.max(...entries.map(({ stampMs }) => stampMs));
    const wantedMs = Math.max(firstMs - clocksMs, newestMs - maxLookBackMs);
    // Those that are new may stand below the floor, and are not to be taken for named before.
    if (!(wantedMs < this.#floorMs)) return;
    const own = new Set(entries.map(({ writer, key }) => `${writer}${key}`));
    await Promise.all(writers.map((writer) => this.#readBack(writer, wantedMs, own)));
    this.#floorMs = wantedMs;
  }

  async #readBack(writer: string, fromMs: number, own: ReadonlySet<string>): Promise<void> {
    let after = `${stampKey(fromMs)}~`;
    const floor = `${stampKey(this.#floorMs)}~`;
    const seen = this.#from === undefined ? floor : seenKeyOf(this.#from, writer);
    const until = seen < floor ? seen : floor;
    for (let queries = 0; queries < maxQueries && after < until; queries++) {
      const { entries } = await this.#log.entries(writer, after, until);
      const last = entries.at(-1);
      if (last === undefined) return;
      after = last.key;
      for (const entry of entries) {
        if (own.has(`${writer}${entry.key}`)) continue;
        for (const { messages } of entry.parts)
          for (const { topic, key } of messages)
            if (this.#earlier.size < maxEarlier) this.#earlier.add(keyOf(topic, key));
      }
    }
  }
}

/** When the first message of a part was received. */
function receivedMs({ messages }: FeedEntry['parts'][number]): number {
  let first = Number.POSITIVE_INFINITY;
  for (const { key } of messages) {
    const end = key.indexOf('#');
    first = Math.min(first, Date.parse(key.slice(0, end)));
  }
  return first;
}
