import { expect, test } from 'vitest';
import { Redeliveries } from '../../bridge/redelivery.ts';

const held = (packetId: number, topic: string, text: string) => ({
  packetId,
  message: { topic, payload: Buffer.from(text) },
});

test('recognizes what is held by packet id, topic and payload together', () => {
  const redeliveries = new Redeliveries<ReturnType<typeof held>>();
  const first = held(1, 'a', 'x');
  redeliveries.resume([first, held(2, 'a', 'y'), held(3, 'a', 'z')], 10);
  expect(redeliveries.next(1, 'a', Buffer.from('x'), true)).toEqual({
    known: first,
    possibleDuplicate: false,
  });
  expect(redeliveries.next(2, 'b', Buffer.from('y'), true)).toEqual({ possibleDuplicate: true });
  expect(redeliveries.next(3, 'a', Buffer.from('other'), true)).toEqual({
    possibleDuplicate: true,
  });
  // Each is recognized once: the same packet id again is another message.
  expect(redeliveries.next(1, 'a', Buffer.from('x'), true)).toEqual({ possibleDuplicate: true });
});

test('suspects as many as may come again, without DUP too, and DUP always', () => {
  const redeliveries = new Redeliveries();
  redeliveries.resume([], 2);
  const next = (dup: boolean) => redeliveries.next(9, 'a', Buffer.from('x'), dup).possibleDuplicate;
  expect([next(false), next(false), next(false), next(true)]).toEqual([true, true, false, true]);
});

test('the first packet without DUP after one with it is new, and ends the suspicion', () => {
  const redeliveries = new Redeliveries<ReturnType<typeof held>>();
  redeliveries.resume([held(3, 'a', 'x')], 100);
  const next = (packetId: number, dup: boolean) =>
    redeliveries.next(packetId, 'a', Buffer.from('x'), dup);
  expect(next(1, true)).toEqual({ possibleDuplicate: true });
  expect(next(2, false)).toEqual({ possibleDuplicate: false });
  expect(next(3, false)).toEqual({ possibleDuplicate: false });
});

test('DUP beyond what a session can have unacknowledged means nothing', () => {
  const redeliveries = new Redeliveries();
  redeliveries.resume([], 10);
  const marked = Array.from({ length: 65_540 }, () =>
    redeliveries.next(1, 'a', Buffer.from('x'), true),
  );
  expect(marked.filter(({ possibleDuplicate }) => possibleDuplicate)).toHaveLength(65_535);
});

test('forgets what is held once the suspects are over, and when there is no session', () => {
  const redeliveries = new Redeliveries<ReturnType<typeof held>>();
  redeliveries.resume([held(1, 'a', 'x'), held(2, 'a', 'y')], 1);
  redeliveries.next(7, 'a', Buffer.from('new'), false);
  expect(redeliveries.next(1, 'a', Buffer.from('x'), false)).toEqual({ possibleDuplicate: false });
  redeliveries.resume([held(2, 'a', 'y')], 5);
  redeliveries.clear();
  expect(redeliveries.next(2, 'a', Buffer.from('y'), false)).toEqual({ possibleDuplicate: false });
});
