import { expect, test } from 'vitest';
import { fullJitterMs } from '../../../functions/contract/backoff.ts';

test('doubles up to the cap, and spreads over all of it', () => {
  const ceilings = [0, 1, 2, 8, 9, 1000].map((attempt) =>
    fullJitterMs(attempt, 100, 30_000, () => 1),
  );
  expect(ceilings).toEqual([100, 200, 400, 25_600, 30_000, 30_000]);
  expect(fullJitterMs(5, 100, 30_000, () => 0)).toBe(0);
});
