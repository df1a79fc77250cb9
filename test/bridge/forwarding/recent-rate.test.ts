import { expect, test } from 'vitest';
import { RecentRate } from '../../../bridge/forwarding/recent-rate.ts';

const startMs = 1_800_000_000_000;

test('counts over the last minute, or since the start where that is shorter', () => {
  const rate = new RecentRate(startMs);
  expect(rate.perSecond(startMs)).toBe(0);
  rate.add(100, startMs + 1000);
  expect(rate.perSecond(startMs + 10_000)).toBe(10);
  for (let second = 10; second < 70; second++) rate.add(30, startMs + second * 1000);
  expect(rate.perSecond(startMs + 69_999)).toBe(30);
  expect(rate.perSecond(startMs + 200_000)).toBe(0);
});
