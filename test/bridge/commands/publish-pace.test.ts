// The pace of publishes: never above the broker's limit in any second, and not much below it either.

import { describe, expect, test } from 'vitest';
import { PublishPace } from '../../../bridge/commands/publish-pace.ts';
import { fc } from '../../support/property.ts';

/** Times at which publishes of these sizes leave, when each is wanted at once. */
function leave(pace: PublishPace, sizes: readonly number[]): number[] {
  let nowMs = 0;
  return sizes.map((bytes) => {
    // As with a timer, which only promises not to be early.
    for (let waitMs = pace.waitMs(nowMs); waitMs > 0; waitMs = pace.waitMs(nowMs)) nowMs += waitMs;
    pace.count(bytes, nowMs);
    return nowMs;
  });
}

/** The most of `amounts` in any second that begins with one of them. */
function mostInASecond(times: readonly number[], amounts: readonly number[]): number {
  return Math.max(
    ...times.map((start) =>
      amounts.reduce((sum, amount, index) => {
        const time = times[index] ?? 0;
        return time >= start && time < start + 1000 ? sum + amount : sum;
      }, 0),
    ),
  );
}

describe('in any second', () => {
  test('no more publishes leave than the limit, and most of it is used', () => {
    fc.assert(
      fc.property(fc.integer({ min: 10, max: 500 }), (perSecond) => {
        const sizes = Array.from({ length: perSecond * 3 }, () => 1);
        const times = leave(new PublishPace({ perSecond }), sizes);
        expect(mostInASecond(times, sizes)).toBeLessThanOrEqual(perSecond);
        expect(times.at(-1)).toBeLessThan(4000);
      }),
      { numRuns: 30 },
    );
  });

  test('no more bytes leave than the limit, but for the one that takes more than its share', () => {
    const bytesPerSecond = 512 * 1024;
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 40_000 }), { minLength: 1, maxLength: 100 }),
        (sizes) => {
          const times = leave(new PublishPace({ bytesPerSecond }), sizes);
          expect(mostInASecond(times, sizes)).toBeLessThanOrEqual(bytesPerSecond);
        },
      ),
    );
  });
});

test('what comes in counts', () => {
  const pace = new PublishPace({ perSecond: 100 });
  for (let index = 0; index < 80; index++) pace.count(1, 0);
  expect(pace.waitMs(0)).toBe(900);
  expect(pace.waitMs(900)).toBe(0);
});

test('without limits nothing waits', () => {
  const pace = new PublishPace({});
  for (let index = 0; index < 1000; index++) pace.count(1e6, 0);
  expect(pace.waitMs(0)).toBe(0);
});
