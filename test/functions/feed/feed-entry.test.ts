// Entries of the feed as items: they come back as they were, however long their names, and none is too large.
import { expect, test } from 'vitest';
import {
  entryKey,
  type FeedEntry,
  type FeedPart,
  feedEntryOf,
  feedItem,
  groupsOf,
} from '../../../functions/feed/feed-entry.ts';
import { itemBytes } from '../../../functions/table/chunks.ts';
import { fc } from '../../support/property.ts';

const stampMs = Date.parse('2026-01-31T12:00:00Z');
const entryWith = (parts: readonly FeedPart[]): FeedEntry => ({
  writer: 'abcdef',
  key: entryKey(stampMs, 7),
  stampMs,
  parts,
});
const items = { kind: 'items', shards: 4 } as const;
const segment = {
  kind: 'segment',
  id: { level: 0, stampMs, writer: 'zzzzzz', sequence: 1 },
} as const;

/** As it is read back: messages of a topic together. */
const sorted = (parts: readonly FeedPart[]) =>
  parts.map(({ place, messages }) => ({
    place,
    messages: messages.toSorted((a, b) => (a.topic + a.key < b.topic + b.key ? -1 : 1)),
  }));

test('an entry comes back as it was, a topic in its order', () => {
  const part = (place: FeedPart['place']) =>
    fc
      .array(
        fc.record({
          topic: fc.oneof(fc.constantFrom('a', 'a/b'), fc.string({ unit: 'binary', minLength: 1 })),
          key: fc.string({ minLength: 1 }),
        }),
        { minLength: 1 },
      )
      .map((messages) => ({ place, messages }));
  fc.assert(
    fc.property(part(items), part(segment), (one, other) => {
      const entry = entryWith([one, other]);
      const read = feedEntryOf(feedItem(entry, 1));
      expect({ ...read, parts: sorted(read.parts) }).toEqual({
        ...entry,
        parts: sorted(entry.parts),
      });
      const keysOf = ({ messages }: FeedPart, topic: string) =>
        messages.filter((message) => message.topic === topic).map(({ key }) => key);
      for (const { topic } of one.messages)
        expect(keysOf(read.parts[0] as FeedPart, topic)).toEqual(keysOf(one, topic));
    }),
  );
});

test('what ingest has missed is said', () => {
  const entry = { ...entryWith([{ place: items, messages: [{ topic: 'a', key: '1' }] }]) };
  expect(feedEntryOf(feedItem({ ...entry, missedSinceMs: 5 }, 1)).missedSinceMs).toBe(5);
  expect(feedEntryOf(feedItem(entry, 1))).not.toHaveProperty('missedSinceMs');
});

test('names of any number and length become items that the table takes', () => {
  const long = 'ä'.repeat(32_000);
  const messages = [
    ...Array.from({ length: 20 }, (_, index) => ({ topic: `${long}${index}`, key: '1' })),
    ...Array.from({ length: 10_000 }, (_, index) => ({
      topic: `t${index}`,
      key: `2026#${Math.random()}`,
    })),
  ];
  const groups = [...groupsOf([{ place: items, messages }])];
  expect(groups.flat().flatMap((part) => part.messages)).toEqual(messages);
  for (const group of groups) {
    const item = feedItem(entryWith(group), 1);
    expect(itemBytes(item)).toBeLessThan(400 * 1024);
    expect(feedEntryOf(item).parts).toHaveLength(group.length);
  }
});
