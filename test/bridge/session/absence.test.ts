// When a session leaves a broker that drops what is not acknowledged for an hour, and when it comes back.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Absence } from '../../../bridge/session/absence.ts';

const minuteMs = 60_000;
const never = new AbortController().signal;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function rig(sessionExpiryMs = 7 * 24 * 60 * minuteMs) {
  const seen = { left: 0, oldestMs: undefined as number | undefined };
  const absence = new Absence({
    unacknowledgedMs: 60 * minuteMs,
    sessionExpiryMs,
    oldestMs: () => seen.oldestMs,
    leave() {
      seen.left++;
      absence.disconnected();
    },
  });
  absence.connected();
  const pass = (minutes: number) => vi.advanceTimersByTimeAsync(minutes * minuteMs);
  return { absence, seen, pass };
}

test('it leaves three quarters of an hour after a message came that is not acknowledged', async () => {
  const { absence, seen, pass } = rig();
  await pass(100);
  expect(seen.left).toBe(0);
  seen.oldestMs = performance.now();
  await pass(44);
  expect([seen.left, absence.isAway]).toEqual([0, false]);
  await pass(2);
  expect([seen.left, absence.isAway]).toEqual([1, true]);
});

test('what came on an earlier connection counts from this one on', async () => {
  const { absence, seen, pass } = rig();
  seen.oldestMs = performance.now();
  await pass(40);
  absence.connected();
  await pass(44);
  expect(seen.left).toBe(0);
  await pass(2);
  expect(seen.left).toBe(1);
});

test.each([
  [7 * 24 * 60, 30],
  [20, 10],
])('of a session of %i minutes it is away for %i at most', async (expiry, expected) => {
  const { absence, seen, pass } = rig(expiry * minuteMs);
  seen.oldestMs = performance.now();
  await pass(46);
  let isOver = false;
  const over = absence.untilOver(never).then(() => {
    isOver = true;
  });
  await pass(expected - 1);
  expect(isOver).toBe(false);
  await pass(1);
  await over;
  expect(absence.isAway).toBe(false);
});

test('it comes back when the handler takes something, and at once for who has never left', async () => {
  const { absence, seen, pass } = rig();
  await absence.untilOver(never);
  seen.oldestMs = performance.now();
  await pass(46);
  const over = absence.untilOver(never);
  absence.settled();
  await over;
  expect(absence.isAway).toBe(false);
});

test('a stop ends it too', async () => {
  const { absence, seen, pass } = rig();
  seen.oldestMs = performance.now();
  await pass(46);
  const stop = new AbortController();
  const over = absence.untilOver(stop.signal);
  stop.abort();
  await over;
});
