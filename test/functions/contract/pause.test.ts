import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { pause } from '../../../functions/contract/pause.ts';

const dayMs = 86_400_000;
/** Those that hold the process. */
const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;

test('ends after its time, and leaves nothing at the signal', async () => {
  const { signal } = new AbortController();
  await pause(1, signal);
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

test('ends when it is called off, and keeps no timer', async () => {
  const off = new AbortController();
  const before = timers();
  const paused = pause(dayMs, off.signal);
  expect(timers()).toBe(before + 1);
  off.abort('over');
  expect(timers()).toBe(before);
  await paused;
  expect(getEventListeners(off.signal, 'abort')).toEqual([]);
});

test('ends after its time where nobody can call it off', async () => {
  await pause(1);
});

test('does not hold the process where it is not to', async () => {
  const off = new AbortController();
  const before = timers();
  const paused = pause(dayMs, off.signal, { ref: false });
  expect(timers()).toBe(before);
  off.abort('over');
  await paused;
});

test('does not begin where it has been called off before', async () => {
  await pause(dayMs, AbortSignal.abort('over'));
});
