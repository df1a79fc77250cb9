// What the window holds, and lets go.
import { expect, test } from 'vitest';
import { FeedWindow } from '../../../../functions/api/live/window.ts';
import type { Message } from '../../../../functions/contract/message.ts';
import { entryKey, type FeedEntry } from '../../../../functions/feed/feed-entry.ts';
import { positionAt } from '../../../../functions/feed/position.ts';
import { Deletions } from '../../../../functions/table/deletion.ts';
import { message } from '../../../support/messages.ts';

const nowMs = Date.UTC(2026, 0, 31);

function entryOf(one: Message, stampMs: number): FeedEntry {
  const messages = [{ topic: one.topic, key: `${one.time}#${one.id}` }];
  const parts = [{ place: { kind: 'items', shards: 1 } as const, messages }];
  return { writer: 'a', key: entryKey(stampMs, 0), stampMs, parts };
}

test('what is dropped while it is read counts no more: others have room as before', async () => {
  const stored = Array.from({ length: 8 }, (_, index) => message({ topic: `t/${index}` }));
  const coming: FeedEntry[] = [];
  let isRead = Promise.resolve();
  const window = new FeedWindow({
    log: {
      writers: async () => ['a'],
      entries: async () => ({ entries: coming.splice(0), isWhole: true }),
      newestMs: async () => 0,
    },
    fetch: async (wanted) => {
      await isRead;
      return stored.filter(({ topic }) => wanted.some((one) => one.topic === topic));
    },
    deletions: async () => new Deletions(),
    render: () => 'x'.repeat(100),
    from: positionAt(nowMs - 1000),
    now: () => nowMs,
    bounds: { maxMessages: 100, maxCharacters: 300, keptMs: 60_000 },
  });
  const add = async (index: number) => {
    coming.push(entryOf(stored[index] as Message, nowMs + index));
    await window.catchUp();
  };
  const load = (number: number) => window.load(window.entry(number)?.messages ?? []);
  for (const index of [0, 1, 2, 3]) await add(index);
  let read = () => {};
  isRead = new Promise((resolve) => {
    read = resolve;
  });
  const slow = [load(0), load(1), load(2)];
  window.dropBefore(3);
  read();
  await Promise.all(slow);
  for (const index of [4, 5]) await add(index);
  for (const number of [3, 4, 5]) await load(number);
  expect([window.first, window.next]).toEqual([3, 6]);
});
