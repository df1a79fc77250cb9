import { beforeEach, expect, test, vi } from 'vitest';
import { SecondCounts } from '../../../../functions/api/access/second-counts.ts';

beforeEach(() => {
  vi.useFakeTimers();
  return () => vi.useRealTimers();
});

test('a second begins with the first event, and each key has its own', () => {
  const counts = new SecondCounts();
  expect(counts.of('a')).toBeUndefined();
  expect(counts.add('a')).toEqual({ count: 1, msLeft: 1000 });
  vi.advanceTimersByTime(400);
  expect(counts.add('a')).toEqual({ count: 2, msLeft: 600 });
  expect(counts.add('b')).toEqual({ count: 1, msLeft: 1000 });
  vi.advanceTimersByTime(599);
  expect(counts.of('a')).toEqual({ count: 2, msLeft: 1 });
  vi.advanceTimersByTime(1);
  expect(counts.of('a')).toBeUndefined();
  expect(counts.add('a')).toEqual({ count: 1, msLeft: 1000 });
});

test('a clock that is set back holds nobody up', () => {
  const counts = new SecondCounts();
  counts.add('a');
  vi.setSystemTime(Date.now() - 3_600_000);
  expect(counts.of('a')).toBeUndefined();
  expect(counts.add('a')).toEqual({ count: 1, msLeft: 1000 });
});
