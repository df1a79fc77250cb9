// How long a handler is left alone.

import { afterEach, expect, test, vi } from 'vitest';
import { Hold } from '../../../bridge/forwarding/hold.ts';
import { fc } from '../../support/property.ts';

const retry = { baseMs: 100, capMs: 30_000, maxRetryAfterMs: 300_000 };

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

test.each([
  ['0, or a time that is over', 0],
  ['less than the back-off', 1],
])('a handler that asks for %s is left alone longer with each failure', (_, retryAfterMs) => {
  vi.useFakeTimers();
  vi.spyOn(Math, 'random').mockReturnValue(1);
  const hold = new Hold(retry);
  const waits = Array.from({ length: 4 }, () => {
    hold.begin('the handler answered 503', retryAfterMs);
    const { waitMs } = hold;
    vi.advanceTimersByTime(waitMs);
    return waitMs;
  });
  expect(waits).toEqual([100, 200, 400, 800]);
});

test('Retry-After is a minimum, as far as the route allows, and requests that fail together are one failure', () => {
  vi.useFakeTimers();
  vi.spyOn(Math, 'random').mockReturnValue(1);
  const hold = new Hold(retry);
  for (let request = 0; request < 8; request++) hold.begin('busy', 7000);
  expect(hold.waitMs).toBe(7000);
  hold.begin('busy', 3_600_000);
  expect(hold.waitMs).toBe(300_000);
  vi.advanceTimersByTime(300_000);
  hold.begin('down', undefined);
  expect(hold.waitMs).toBe(200);
});

test('a clock that is set changes no wait', () => {
  vi.useFakeTimers();
  fc.assert(
    fc.property(fc.integer({ min: -1e10, max: 1e10 }), (stepMs) => {
      const hold = new Hold(retry);
      hold.begin('busy', 5000);
      vi.setSystemTime(Date.now() + stepMs);
      expect(hold.waitMs).toBeCloseTo(5000, 3);
    }),
  );
});

test('a wait that somebody ends is over, whatever the handler asked for, and waits start over; the hold goes on', () => {
  vi.useFakeTimers();
  vi.spyOn(Math, 'random').mockReturnValue(1);
  const hold = new Hold(retry);
  for (let failure = 0; failure < 5; failure++) {
    hold.begin('down', 60_000);
    vi.advanceTimersByTime(hold.waitMs);
  }
  hold.begin('down', 60_000);
  expect(hold.waitMs).toBe(60_000);
  hold.endWait();
  expect([hold.waitMs, hold.reason]).toEqual([0, 'down']);
  hold.begin('down', undefined);
  expect(hold.waitMs).toBe(100);
});

test('tries are those that failed since it began, together as one, no matter who asks for the next', () => {
  vi.useFakeTimers();
  const hold = new Hold(retry);
  expect(hold.tries).toBe(0);
  for (let round = 0; round < 3; round++) {
    hold.begin('busy', 1000);
    hold.begin('busy', 1000);
    vi.advanceTimersByTime(30_000);
  }
  hold.endWait();
  hold.begin('busy', undefined);
  expect(hold.tries).toBe(4);
  hold.end();
  expect(hold.tries).toBe(0);
});
