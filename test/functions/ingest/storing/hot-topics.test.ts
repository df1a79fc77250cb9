import { expect, test } from 'vitest';
import { HotTopics, writeUnitsOf } from '../../../../functions/ingest/storing/hot-topics.ts';

/** Whether a topic is hot after so many writes of a size, at so many a second. */
function isHotAfter(writes: number, payloadBytes: number, perSecond: number): boolean {
  const topics = new HotTopics();
  let isHot = false;
  for (let index = 0; index < writes; index++)
    isHot = topics.add('a', writeUnitsOf(payloadBytes), (index * 1000) / perSecond);
  return isHot;
}

test.each([
  ['an image of 250 KB now and then', 100, 250_000, 1 / 60, false],
  ['11 of them a second', 33, 250_000, 11, true],
  ['100 small messages a second', 6000, 200, 100, false],
  ['2,000 small messages a second', 6000, 200, 2000, true],
])('%s', (_, writes, payloadBytes, perSecond, expected) => {
  expect(isHotAfter(writes, payloadBytes, perSecond)).toBe(expected);
});

test('one topic says nothing of another, and a topic cools down', () => {
  const topics = new HotTopics();
  expect(topics.add('a', 4000, 0)).toBe(true);
  expect(topics.add('b', 1, 0)).toBe(false);
  expect(topics.add('a', 1, 5000)).toBe(true);
  expect(topics.add('a', 1, 20_000)).toBe(false);
});

test('a clock that is set back makes no topic hot', () => {
  const topics = new HotTopics();
  for (let second = 100; second > 0; second--)
    expect(topics.add('a', 1, second * 1000)).toBe(false);
});
