// A rate that is kept: never more in a second than was asked for, whatever the batches are.

import { expect, test } from 'vitest';
import { Pace, paceBatch } from '../../../bridge/base/pace.ts';
import { fc } from '../../support/property.ts';

test('in any second there are no more than the rate and one batch', () => {
  const rates = fc.integer({ min: 1, max: 10_000 });
  const steps = fc.array(
    fc.record({ size: fc.integer({ min: 1, max: 500 }), busyMs: fc.nat(3000) }),
  );
  fc.assert(
    fc.property(rates, steps, (perSecond, all) => {
      const pace = new Pace(perSecond);
      const sent: { atMs: number; size: number }[] = [];
      let nowMs = 0;
      for (const { size: wanted, busyMs } of all) {
        const size = Math.min(wanted, paceBatch(perSecond, 500));
        const waitMs = pace.waitMs(nowMs);
        pace.count(size, nowMs);
        nowMs += waitMs;
        sent.push({ atMs: nowMs, size });
        nowMs += busyMs;
      }
      for (const { atMs } of sent) {
        const within = sent.filter((one) => one.atMs >= atMs && one.atMs < atMs + 1000);
        const count = within.reduce((sum, { size }) => sum + size, 0);
        expect(count).toBeLessThanOrEqual(perSecond + paceBatch(perSecond, 500) + 1e-6);
      }
    }),
  );
});

test('a pause is not made up for', () => {
  const pace = new Pace(10);
  pace.count(2, 0);
  expect(pace.waitMs(60_000)).toBe(0);
  pace.count(2, 60_000);
  expect(pace.waitMs(60_000)).toBe(200);
});

test.each([
  [1, 500, 1],
  [100, 500, 20],
  [10_000, 500, 500],
  [10_000, 1, 1],
])('at %i a second a request of a route with %i has %i', (perSecond, maxBatch, expected) => {
  expect(paceBatch(perSecond, maxBatch)).toBe(expected);
});
