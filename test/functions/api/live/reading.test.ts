// A reader's way through a window that lets go of what it is about to give.
import { expect, test } from 'vitest';
import { type Missed, Reading } from '../../../../functions/api/live/reading.ts';
import { FeedWindow } from '../../../../functions/api/live/window.ts';
import type { Message } from '../../../../functions/contract/message.ts';
import { entryKey, type FeedEntry } from '../../../../functions/feed/feed-entry.ts';
import {
  type FeedPosition,
  hasSeen,
  positionAt,
  positionOf,
} from '../../../../functions/feed/position.ts';
import { Deletions } from '../../../../functions/table/deletion.ts';
import { message } from '../../../support/messages.ts';

const nowMs = Date.UTC(2026, 0, 31);
const from = positionAt(nowMs - 1000);
const stored = ['a', 'b', 'c'].map((topic) => message({ topic }));

function entryOf({ topic, time, id }: Message, index: number): FeedEntry {
  const stampMs = nowMs + index;
  const messages = [{ topic, key: `${time}#${id}` }];
  const parts = [{ place: { kind: 'items', shards: 1 } as const, messages }];
  return { writer: 'writer', key: entryKey(stampMs, 0), stampMs, parts };
}

const second = entryOf(stored[1] as Message, 1);

/** A window on all that is stored; `beforeFetch` is waited for before messages are there. */
function windowOf(beforeFetch: () => Promise<void>): FeedWindow {
  const coming = stored.map(entryOf);
  return new FeedWindow({
    log: {
      writers: async () => ['writer'],
      entries: async (_, after) => ({
        entries: coming.filter(({ key }) => key > after),
        isWhole: true,
      }),
      newestMs: async () => 0,
    },
    fetch: async (wanted) => {
      await beforeFetch();
      return stored.filter(({ topic }) => wanted.some((one) => one.topic === topic));
    },
    deletions: async () => new Deletions(),
    render: ({ topic }) => topic,
    from,
    now: () => nowMs,
  });
}

test.each([
  ['is told of, to one that is slow', false, ['a'], ['slow, before b']],
  ['is read all the same by one that catches up', true, ['a', 'b', 'c'], []],
])(
  'what the window drops while a reader has the entry before it %s',
  async (_, catchesUp, told, reasons) => {
    const shared: FeedWindow = windowOf(async () => shared.dropBefore(2));
    const openOwn = () => windowOf(async () => {});
    const reading = new Reading(shared, {
      position: from,
      isWanted: () => true,
      openOwn,
      catchesUp,
    });
    const pages = [await reading.page()];
    while (pages.at(-1)?.hasMore) pages.push(await reading.page());
    pages.push(await reading.page());
    expect(pages.flatMap(({ texts }) => texts)).toEqual(told);
    // Its cursor reads what was dropped.
    const place = ({ reason, after }: Missed) =>
      `${reason}, ${hasSeen(positionOf(after ?? '') as FeedPosition, second) ? 'behind' : 'before'} b`;
    expect(pages.flatMap(({ missed }) => missed.map(place))).toEqual(reasons);
  },
);
