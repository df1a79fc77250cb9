import { expect, test } from 'vitest';
import { calm, dampingAt, withChanges } from '../../../functions/contract/flap-damping.ts';
import { fc } from '../../support/property.ts';

const at = (minutes: number) => new Date(1_800_000_000_000 + minutes * 60_000).toISOString();

/** Changes at these minutes. */
function after(minutes: readonly number[]) {
  return minutes.reduce(
    (state, minute) => withChanges(dampingAt(state, at(minute)), 1),
    calm(at(0)),
  );
}

/** Both changes of a reconnect, every so many minutes. */
const reconnects = (count: number, everyMinutes: number) =>
  Array.from({ length: count }, (_, index) => [
    index * everyMinutes,
    index * everyMinutes + 0.01,
  ]).flat();

test('five restarts in a row are not flapping, six in a minute are', () => {
  expect(after(reconnects(5, 0.1)).flapping).toBe(false);
  expect(after(reconnects(6, 0.1)).flapping).toBe(true);
});

test('a reconnect every two minutes is not flapping, however long; one every 90 seconds is', () => {
  expect(after(reconnects(500, 2)).flapping).toBe(false);
  expect(after(reconnects(500, 1.5)).flapping).toBe(true);
});

test('half of the penalty is left after five minutes', () => {
  const state = after([0, 0, 0, 0, 0, 0, 0, 0]);
  expect(dampingAt(state, at(5)).penalty).toBeCloseTo(4, 6);
});

test('calm 20 minutes after the last change at the latest, and nothing is left after 30', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0, max: 600, noNaN: true }), { maxLength: 300 }),
      (minutes) => {
        const sorted = minutes.toSorted((a, b) => a - b);
        const last = sorted.at(-1) ?? 0;
        const state = after(sorted);
        expect(dampingAt(state, at(last + 20.1)).flapping).toBe(false);
        expect(dampingAt(state, at(last + 30.1)).flaps).toBe(0);
      },
    ),
  );
});

test('a flapping client stays so until it has been calm, and does not go to and fro', () => {
  const state = after(reconnects(20, 0.1));
  expect(dampingAt(state, at(12)).flapping).toBe(true);
  expect(dampingAt(state, at(25)).flapping).toBe(false);
});

test('a single reconnect is told for a while', () => {
  const state = after(reconnects(1, 1));
  expect(dampingAt(state, at(5)).flaps).toBe(2);
  expect(dampingAt(state, at(11)).flaps).toBe(0);
});

test('an earlier time takes nothing away', () => {
  const state = after([10, 10, 10]);
  expect(dampingAt(state, at(1))).toBe(state);
});
