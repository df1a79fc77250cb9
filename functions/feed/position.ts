// How far a reader of the feed has come, as a value and as the text of a cursor. It holds what was stored in the order of
// storing, over several writers. Nothing is missed where their clocks differ; what comes first is told by them alone.
import { entryKeyLength, type FeedEntry, stampKey, stampOf, writerLength } from './feed-entry.ts';

/** An entry becomes visible so long after its stamp at most, with what the clocks of writers differ. */
export const stragglerMs = 30_000;

/** What tells an entry from others. */
export type Named = Pick<FeedEntry, 'writer' | 'key' | 'stampMs'>;

export interface FeedPosition {
  /** The largest stamp of what was seen. */
  readonly stampMs: number;
  /** The last key of each writer that wrote shortly before that. */
  readonly seen: ReadonlyMap<string, string>;
  /** The entry that was given in part: so many of its messages. */
  readonly partly?: { readonly writer: string; readonly key: string; readonly given: number };
}

/** All that becomes visible from `ms` on, by the table's clock. */
export function positionAt(ms: number): FeedPosition {
  return { stampMs: ms + stragglerMs, seen: new Map() };
}

/** The key behind which the entries of a writer are unseen. */
export function seenKeyOf({ stampMs, seen }: FeedPosition, writer: string): string {
  // Behind all keys of that stamp.
  return seen.get(writer) ?? `${stampKey(stampMs - stragglerMs)}~`;
}

export function hasSeen(position: FeedPosition, { writer, key }: Named): boolean {
  return key <= seenKeyOf(position, writer);
}

/** The position once all of an entry has been given. */
export function behind({ stampMs, seen }: FeedPosition, entry: Named): FeedPosition {
  const largestMs = Math.max(stampMs, entry.stampMs);
  const recent = [...seen].filter(([, key]) => stampOf(key) > largestMs - stragglerMs);
  return { stampMs: largestMs, seen: new Map([...recent, [entry.writer, entry.key]]) };
}

/** The position once all is seen that was visible at `ms`: what was stamped long before that has come. */
export function movedTo({ stampMs, seen }: FeedPosition, ms: number): FeedPosition {
  if (ms <= stampMs) return { stampMs, seen };
  const recent = [...seen].filter(([, key]) => stampOf(key) > ms - stragglerMs);
  return { stampMs: ms, seen: new Map(recent) };
}

/** Whether who stands at `position` has seen nothing that who stands at `other` has not. */
export function isWithin(position: FeedPosition, other: FeedPosition): boolean {
  return (
    position.partly === undefined &&
    position.stampMs <= other.stampMs &&
    [...position.seen].every(([writer, key]) => key <= seenKeyOf(other, writer))
  );
}

const pairLength = writerLength + entryKeyLength;

/** At most 500 writers, which is 9 KB. */
export const cursorPattern = new RegExp(
  `^[0-9a-z]{9}(?:[0-9a-z]{${pairLength}}){0,500}(?:\\.[0-9a-z]{${pairLength + 1},${pairLength + 5}})?$`,
);

export function cursorOf({ stampMs, seen, partly }: FeedPosition): string {
  const pairs = Array.from(seen, ([writer, key]) => `${writer}${key}`).slice(-500);
  const part = partly && `.${partly.writer}${partly.key}${partly.given.toString(36)}`;
  return `${stampKey(stampMs)}${pairs.join('')}${part ?? ''}`;
}

/** Undefined where the text is no cursor. */
export function positionOf(cursor: string): FeedPosition | undefined {
  if (!cursorPattern.test(cursor)) return undefined;
  const [head = '', part] = cursor.split('.');
  const stamp = head.slice(0, stampKey(0).length);
  const seen = new Map<string, string>();
  for (let start = stamp.length; start < head.length; start += pairLength) {
    const [writer, key] = pairOf(head.slice(start));
    seen.set(writer, key);
  }
  const position = { stampMs: stampOf(stamp), seen };
  if (part === undefined) return position;
  const [writer, key] = pairOf(part);
  return {
    ...position,
    partly: { writer, key, given: Number.parseInt(part.slice(pairLength), 36) },
  };
}

function pairOf(text: string): [writer: string, key: string] {
  return [text.slice(0, writerLength), text.slice(writerLength, pairLength)];
}
