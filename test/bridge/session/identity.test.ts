import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createReceiptClock, messageId } from '../../../bridge/session/identity.ts';

test('times of receipt strictly increase, also when the clock stands still or is set back', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 2, maxLength: 50 }),
      (steps) => {
        let ms = 1_800_000_000_000;
        const clock = createReceiptClock(() => ms);
        const times = steps.map((step) => {
          ms += step;
          return clock();
        });
        for (const [index, time] of times.entries()) {
          expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
          const next = times[index + 1];
          if (next !== undefined) expect(next > time).toBe(true);
        }
      },
    ),
  );
  const stopped = createReceiptClock(() => 1_800_000_000_000);
  const many = Array.from({ length: 2500 }, stopped);
  expect(many).toEqual([...new Set(many)].sort());
});

test('the id of a CloudEvent is kept where it can be one', () => {
  const event = ['specversion', '1.0'] as const;
  expect(messageId([event, ['id', 'mine']])).toBe('mine');
  const minted = /^[\w-]{16}-\d+$/;
  expect(messageId(undefined)).toMatch(minted);
  for (const id of ['', 'x'.repeat(300)]) expect(messageId([event, ['id', id]])).toMatch(minted);
  // Without specversion it may be the name of the device.
  expect(messageId([['id', 'sensor-7']])).toMatch(minted);
});

test('minted ids do not repeat', () => {
  expect(new Set(Array.from({ length: 10_000 }, () => messageId(undefined))).size).toBe(10_000);
});
