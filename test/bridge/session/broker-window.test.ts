import { expect, test } from 'vitest';
import { BrokerWindow } from '../../../bridge/session/broker-window.ts';

const lingerMs = 100;

/** A window that has seen, from 0 ms on, so many cycles: filled to a size in so much time, and released so late. */
function windowAfter(cycles: readonly { size: number; filledMs: number; releasedMs: number }[]) {
  const window = new BrokerWindow(lingerMs, 0);
  let nowMs = 0;
  for (const { size, filledMs, releasedMs } of cycles) {
    window.released(size, nowMs + filledMs, nowMs + releasedMs);
    nowMs += releasedMs;
  }
  return { isFull: (size: number, afterMs = 0) => window.isFull(size, nowMs + afterMs) };
}

const stopped = { size: 20, filledMs: 2, releasedMs: 110 };

test('a broker that stops twice at the same number sends no more there', () => {
  expect(windowAfter([stopped]).isFull(20)).toBe(false);
  const { isFull } = windowAfter([stopped, stopped]);
  expect([isFull(19), isFull(20)]).toEqual([false, true]);
});

test.each([
  ['at another number', { ...stopped, size: 19 }],
  ['as messages come slowly', { ...stopped, filledMs: 90 }],
  ['as messages come all the time', { size: 20, filledMs: 5, releasedMs: 30 }],
])('one that stops %s may have no more to send', (_, other) => {
  const { isFull } = windowAfter([stopped, other]);
  expect([isFull(19), isFull(20), isFull(21)]).toEqual([false, false, false]);
});

test('one message more disproves it', () => {
  const { isFull } = windowAfter([stopped, stopped]);
  expect([isFull(20), isFull(21), isFull(20)]).toEqual([true, false, false]);
});

test('after a while it is tried again, for one linger', () => {
  const { isFull } = windowAfter([stopped, stopped]);
  expect([isFull(20, 49 * lingerMs), isFull(20, 51 * lingerMs)]).toEqual([true, false]);
  const quick = { size: 20, filledMs: 2, releasedMs: 10 };
  const cycles = [stopped, stopped, ...Array.from({ length: 499 }, () => quick), stopped];
  expect(windowAfter(cycles).isFull(20)).toBe(true);
});
