import { expect, test } from 'vitest';
import { Redeliveries } from '../../../bridge/session/redelivery.ts';

const held = (packetId: number, topic: string, text: string) => ({
  packetId,
  says: (otherTopic: string, payload: Uint8Array) =>
    otherTopic === topic && Buffer.from(payload).toString() === text,
});

test('recognizes what is held by packet id, topic and payload together', () => {
  const redeliveries = new Redeliveries<ReturnType<typeof held>>();
  const first = held(1, 'a', 'x');
  redeliveries.resume([first, held(2, 'a', 'y'), held(3, 'a', 'z')]);
  const next = (packetId: number, topic: string, text: string) =>
    redeliveries.next(packetId, topic, Buffer.from(text), true);
  expect(next(1, 'a', 'x')).toEqual({ known: first, possibleDuplicate: false });
  expect(next(2, 'b', 'y')).toEqual({ possibleDuplicate: true });
  expect(next(3, 'a', 'other')).toEqual({ possibleDuplicate: true });
  // Each is recognized once: the same packet id again is another message.
  expect(next(1, 'a', 'x')).toEqual({ possibleDuplicate: true });
});

test('a packet without DUP is new, also where it says what a held one says', () => {
  const redeliveries = new Redeliveries<ReturnType<typeof held>>();
  redeliveries.resume([held(1, 'a', 'x'), held(2, 'a', 'x')]);
  const next = (packetId: number, dup: boolean) =>
    redeliveries.next(packetId, 'a', Buffer.from('x'), dup);
  expect(next(1, false)).toEqual({ possibleDuplicate: false });
  // What is new comes after all that is redelivered: nothing is held any more.
  expect(next(2, true)).toEqual({ possibleDuplicate: true });
});

test('forgets what it holds when there is no session', () => {
  const redeliveries = new Redeliveries<ReturnType<typeof held>>();
  redeliveries.resume([held(2, 'a', 'y')]);
  redeliveries.clear();
  expect(redeliveries.next(2, 'a', Buffer.from('y'), true)).toEqual({ possibleDuplicate: true });
});

test('DUP beyond what a session can have unacknowledged means nothing', () => {
  const redeliveries = new Redeliveries();
  redeliveries.resume([]);
  const marked = Array.from({ length: 65_540 }, () =>
    redeliveries.next(1, 'a', Buffer.from('x'), true),
  );
  expect(marked.filter(({ possibleDuplicate }) => possibleDuplicate)).toHaveLength(65_535);
});

test('says of what it no longer holds that it is forgotten, and of what came again it is not', () => {
  const forgotten: number[] = [];
  const redeliveries = new Redeliveries<ReturnType<typeof held>>(({ packetId }) =>
    forgotten.push(packetId),
  );
  const next = (packetId: number, text: string, dup = true) =>
    redeliveries.next(packetId, 'a', Buffer.from(text), dup);
  redeliveries.resume([1, 2, 3, 4].map((packetId) => held(packetId, 'a', 'x')));
  next(1, 'x');
  next(2, 'other');
  expect(forgotten).toEqual([2]);
  // The next connection left another one under the same packet id.
  redeliveries.resume([held(3, 'a', 'y')]);
  expect(forgotten).toEqual([2, 3]);
  next(9, 'x', false);
  expect(forgotten.toSorted()).toEqual([2, 3, 3, 4]);
});
