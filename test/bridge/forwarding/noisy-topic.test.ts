import { expect, test } from 'vitest';
import {
  type HeldByTopic,
  NoisyTopic,
  type NoisyTopicOptions,
} from '../../../bridge/forwarding/noisy-topic.ts';

const held = (topic: string, messages: number, bytes = messages): HeldByTopic => ({
  topic,
  messages,
  bytes,
});

/** A watch over a route with a window of 100 messages and 10,000 bytes, and what it tells over 20 s. */
function watched(options: Partial<NoisyTopicOptions> = {}, seconds = 20) {
  const told: string[] = [];
  let nowMs = 0;
  const topics = { held: [held('hot', 60), held('a', 1)] as readonly HeldByTopic[] };
  const watch = new NoisyTopic({
    window: { messages: 100, bytes: 10_000 },
    held: () => topics.held,
    unacknowledged: () => 100,
    isFull: () => false,
    isFlowing: () => true,
    onNoisy: ({ topic }) => told.push(`${topic} ${nowMs / 1000}`),
    ...options,
  });
  const look = (count: number) => {
    for (let second = 0; second < count; second++) {
      nowMs += 1000;
      watch.look(nowMs);
    }
  };
  look(seconds);
  return { watch, told, topics, look, current: () => watch.current(nowMs) };
}

test('a topic that holds half of the window for ten seconds is told, once a minute', () => {
  const { told, current, topics, look } = watched({}, 130);
  expect(told).toEqual(['hot 11', 'hot 71']);
  expect(current()).toEqual(held('hot', 60));
  topics.held = [held('hot', 30), held('a', 1)];
  look(1);
  expect(current()).toBeUndefined();
});

test.each<[string, Partial<NoisyTopicOptions>]>([
  ['half of its bytes', { held: () => [held('hot', 2, 6000), held('a', 10)] }],
  [
    'most of a window that the broker has made smaller',
    { held: () => [held('hot', 8), held('a', 1)], isFull: () => true },
  ],
  [
    'all that is not settled, while those of others wait behind it',
    { held: () => [held('hot', 5)], isFull: () => true },
  ],
])('so is one that holds %s', (_, options) => {
  expect(watched(options).told).toEqual(['hot 11']);
});

test.each<[string, Partial<NoisyTopicOptions>]>([
  ['it holds less', { held: () => [held('hot', 49), held('a', 49)] }],
  [
    'it is the only one',
    { held: () => [held('hot', 100)], unacknowledged: () => 100, isFull: () => true },
  ],
  ['the handler is away', { isFlowing: () => false }],
  ['nothing is held', { held: () => [] }],
])('none is told where %s', (_, options) => {
  const { told, current } = watched(options);
  expect([told, current()]).toEqual([[], undefined]);
});

test('it takes ten seconds each time', () => {
  const { told, topics, look, current } = watched({}, 8);
  topics.held = [held('other', 80), held('a', 1)];
  look(8);
  expect([told, current()]).toEqual([[], undefined]);
  look(8);
  expect(told).toEqual(['other 19']);
});
