// Lanes by topic: found again while they have messages, and for a while after; never so many that memory is theirs.
import { expect, test } from 'vitest';
import { TopicLanes } from '../../../bridge/forwarding/topic-lanes.ts';

const item = (topic: string) => ({ topic, bytes: 1, arrivedMs: 0 });

const lanesOf = (maxIdleBytes = 10_000) => new TopicLanes<ReturnType<typeof item>>(maxIdleBytes);

/** Adds a message and takes it out. */
function pass(lanes: TopicLanes<ReturnType<typeof item>>, topic: string) {
  const lane = lanes.occupy(topic);
  lane.add(item(topic));
  lane.take();
  lanes.vacate(lane);
  return lane;
}

test('a topic has one lane while it has messages, waiting or in flight', () => {
  const lanes = lanesOf();
  const lane = lanes.occupy('a');
  lane.add(item('a'));
  expect(lanes.occupy('a')).toBe(lane);
  lane.take();
  lane.inFlight = true;
  expect(lanes.occupy('a')).toBe(lane);
  expect(lanes.busyCount).toBe(1);
  expect(lanes.busy()).toEqual([lane]);
});

test('the next message of a topic finds the lane of the last one, which is counted as none meanwhile', () => {
  const lanes = lanesOf();
  const lane = pass(lanes, 'a');
  expect(lanes.busyCount).toBe(0);
  expect(lanes.busy()).toEqual([]);
  expect(lanes.occupy('a')).toBe(lane);
  expect(lanes.busyCount).toBe(1);
});

test('lanes without messages are forgotten where they take too much; those with messages are not', () => {
  const lanes = lanesOf();
  const kept = lanes.occupy('kept');
  kept.add(item('kept'));
  const first = pass(lanes, 'first');
  // 150 bytes each and more.
  for (let index = 0; index < 70; index++) pass(lanes, `other/${index}`);
  expect(lanes.occupy('kept')).toBe(kept);
  expect(lanes.busyCount).toBe(1);
  expect(lanes.occupy('first')).not.toBe(first);
});

test('where most lanes have messages, one that finds no room is forgotten, and those with room stay', () => {
  const lanes = lanesOf(1000);
  for (let index = 0; index < 100; index++) {
    const topic = `busy/${index}`;
    lanes.occupy(topic).add(item(topic));
  }
  const kept = pass(lanes, 'kept');
  for (let index = 0; index < 10; index++) pass(lanes, `other/${index}`);
  const last = pass(lanes, 'last');
  expect(lanes.busyCount).toBe(100);
  expect(lanes.occupy('last')).not.toBe(last);
  expect(lanes.occupy('kept')).toBe(kept);
});

test('the lane of a long topic is not kept', () => {
  const lanes = lanesOf();
  const long = 'a'.repeat(257);
  const lane = pass(lanes, long);
  expect(lanes.busyCount).toBe(0);
  expect(lanes.occupy(long)).not.toBe(lane);
});
