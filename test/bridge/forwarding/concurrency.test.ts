import { expect, test } from 'vitest';
import { AdaptiveConcurrency } from '../../../bridge/forwarding/concurrency.ts';
import { fc } from '../../support/property.ts';

const serve = (concurrency: AdaptiveConcurrency, times: number, latencyMs: number) => {
  for (let count = 0; count < times; count++) concurrency.record('served', latencyMs);
};

test('starts at the limit, halves on overload, and comes back one by one', () => {
  const concurrency = new AdaptiveConcurrency(16);
  expect(concurrency.limit).toBe(16);
  concurrency.record('overloaded', 5);
  expect(concurrency.limit).toBe(8);
  serve(concurrency, 9, 10);
  expect(concurrency.limit).toBe(9);
  serve(concurrency, 200, 10);
  expect(concurrency.limit).toBe(16);
});

test('backs off from a handler that gets much slower, not from noise', () => {
  const concurrency = new AdaptiveConcurrency(8);
  serve(concurrency, 50, 20);
  serve(concurrency, 5, 60);
  expect(concurrency.limit).toBe(8);
  serve(concurrency, 10, 500);
  expect(concurrency.limit).toBeLessThan(4);
  // A handler that is slow for good is the usual one after a while.
  serve(concurrency, 300, 500);
  expect(concurrency.limit).toBe(8);
});

test('stays a whole number from 1 to the limit, whatever happens', () => {
  const step = fc.tuple(
    fc.constantFrom('served' as const, 'overloaded' as const),
    fc.double({ min: 0, max: 1e6, noNaN: true }),
  );
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 256 }),
      fc.array(step, { maxLength: 200 }),
      (most, steps) => {
        const concurrency = new AdaptiveConcurrency(most);
        for (const [load, latencyMs] of steps) {
          concurrency.record(load, latencyMs);
          expect(Number.isInteger(concurrency.limit)).toBe(true);
          expect(concurrency.limit).toBeGreaterThanOrEqual(1);
          expect(concurrency.limit).toBeLessThanOrEqual(most);
        }
      },
    ),
  );
});
