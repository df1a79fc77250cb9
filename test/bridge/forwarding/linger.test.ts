import { expect, test } from 'vitest';
import { lingerAt } from '../../../bridge/forwarding/linger.ts';

test.each([
  [0, 5],
  [49, 5],
  [50, 250],
  [400, 250],
  [1000, 100],
  [10_000, 10],
  [100_000, 5],
])('at %i messages a second one waits for %i ms', (perSecond, expectedMs) => {
  expect(lingerAt(perSecond, { lingerMs: 5, maxLingerMs: 250 })).toBe(expectedMs);
});

test('without a greater maximum it is the same at any rate', () => {
  for (const perSecond of [0, 100, 10_000])
    expect(lingerAt(perSecond, { lingerMs: 20, maxLingerMs: 20 })).toBe(20);
});
