// What holds whatever clocks, calls and processes do: a lease has one holder, and somebody gets it in the end.
import { expect, test } from 'vitest';
import { fc } from '../../support/property.ts';
import { simulate } from './lease-simulation.ts';

const leaseMs = 4000;
const quietFromMs = 40_000;

const bridge = fc.record({
  // Apart by a tenth each: a holder keeps a quarter of the time back.
  rate: fc.double({ min: 0.9, max: 1.1, noNaN: true }),
  offsetMs: fc.nat(1_000_000),
  stalls: fc.array(fc.tuple(fc.nat(30_000), fc.integer({ min: 100, max: 9000 })), { maxLength: 3 }),
  diesAtMs: fc.option(fc.nat(quietFromMs), { nil: undefined, freq: 4 }),
});

const way = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 30 }) },
  { weight: 1, arbitrary: fc.integer({ min: 30, max: 3 * leaseMs }) },
);

const call = fc.record({
  thereMs: way,
  backMs: way,
  lost: fc.oneof(
    { weight: 8, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.constantFrom('there' as const, 'back' as const) },
  ),
});

test('no two bridges hold a lease at once, and one gets it when the trouble is over', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(bridge, { minLength: 2, maxLength: 4 }),
      fc.array(call, { minLength: 20, maxLength: 200 }),
      async (others, calls) => {
        // One that is there to the end.
        const bridges = [{ rate: 1, offsetMs: 0, stalls: [] }, ...others];
        const names = ['store-0', 'store-1'];
        const outcome = await simulate({
          leaseMs,
          names,
          bridges,
          calls,
          quietFromMs,
          endMs: quietFromMs + 10 * leaseMs,
        });
        expect(outcome.together).toEqual([]);
        expect([...outcome.alive].sort()).toEqual(names);
      },
    ),
    { numRuns: 60 },
  );
});

test('shared leases have one holder each, and are shared evenly and at rest when the trouble is over', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(bridge, { minLength: 1, maxLength: 3 }),
      fc.array(call, { minLength: 20, maxLength: 200 }),
      fc.integer({ min: 1, max: 9 }),
      async (others, calls, count) => {
        const bridges = [{ rate: 1, offsetMs: 0, stalls: [] }, ...others];
        const names = Array.from({ length: count }, (_, index) => `${index % 2}-${index}`);
        const endMs = quietFromMs + 40 * leaseMs;
        const outcome = await simulate({
          leaseMs,
          names,
          areShared: true,
          bridges,
          calls,
          quietFromMs,
          endMs,
        });
        expect(outcome.together).toEqual([]);
        expect([...outcome.alive].sort()).toEqual([...names].sort());
        const { counts } = outcome;
        expect(counts.reduce((sum, each) => sum + each, 0)).toBe(count);
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
        expect(outcome.lastMoveMs).toBeLessThan(endMs - 20 * leaseMs);
      },
    ),
    { numRuns: 30 },
  );
});

test('the simulation sees two holders where a holder does not keep to its time', async () => {
  const calls = [{ thereMs: 1, backMs: 1, lost: undefined }];
  const steady = { rate: 1, offsetMs: 0, stalls: [] };
  // Its clock stands almost still: it renews too late, and does not notice.
  const slow = { ...steady, rate: 0.1 };
  const { together } = await simulate({
    leaseMs,
    names: ['store-0'],
    bridges: [slow, steady],
    calls,
    quietFromMs,
    endMs: 60_000,
  });
  expect(together.length).toBeGreaterThan(0);
});
