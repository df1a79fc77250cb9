// Lanes: what waits for something keeps its topic's order, and no caller takes all the room.
import { expect, test } from 'vitest';
import { Lanes } from '../../../bridge/commands/lanes.ts';

const small = { caller: 'a', bytes: 0 };

test('one topic goes in order, each with what the one before has become; others do not wait', async () => {
  const lanes = new Lanes<string>(8);
  const seen: string[] = [];
  let finish = (_: string) => {};
  const first = lanes.put('t', small, () => new Promise((resolve) => (finish = resolve)));
  const second = lanes.put('t', small, async (before) => {
    seen.push(`second after ${before}`);
    return '2';
  });
  const other = lanes.put('u', small, async (before) => {
    seen.push(`other after ${before}`);
    return 'u';
  });
  await other;
  expect([lanes.has('t'), lanes.has('u'), lanes.size]).toEqual([true, false, 2]);
  finish('1');
  expect(await Promise.all([first, second])).toEqual(['1', '2']);
  expect(seen).toEqual(['other after undefined', 'second after 1']);
  expect([lanes.has('t'), lanes.size]).toEqual([false, 0]);
});

test('a start that fails leaves the lane to the next', async () => {
  const lanes = new Lanes<string>(8);
  const failing = lanes.put('t', small, () => Promise.reject(new Error('no')));
  const next = lanes.put('t', small, async (before) => `after ${before}`);
  await expect(failing).rejects.toThrow('no');
  expect(await next).toBe('after undefined');
  expect(lanes.size).toBe(0);
});

test('a caller has a quarter of the room, by number and by bytes', async () => {
  const lanes = new Lanes<string>(8);
  let finish = (_: string) => {};
  const held = new Promise<string>((resolve) => (finish = resolve));
  const waiting = [1, 2].map((topic) => lanes.put(`a/${topic}`, small, () => held));
  expect([lanes.hasRoomFor('a', 0), lanes.hasRoomFor('b', 0)]).toEqual([false, true]);
  // One alone may be larger than its share, but not than what is left.
  expect([lanes.hasRoomFor('b', 150_000), lanes.hasRoomFor('b', 1_000_000)]).toEqual([true, false]);
  waiting.push(lanes.put('b', { caller: 'b', bytes: 150_000 }, () => held));
  expect([lanes.hasRoomFor('b', 0), lanes.hasRoomFor('c', 0)]).toEqual([false, true]);
  finish('');
  await Promise.all(waiting);
  expect(lanes.hasRoomFor('a', 0)).toBe(true);
});
