// When something is to be looked for: after a mark, for as long as its writes may come, and where nobody can tell.
import { expect, onTestFinished, test } from 'vitest';
import { ChangeWatch } from '../../../bridge/base/change-watch.ts';
import { until } from '../../support/wait.ts';

function watch() {
  const marker = { version: undefined as string | undefined, isAway: false, reads: 0 };
  const clock = { nowMs: 0 };
  const watched = new ChangeWatch({
    async read() {
      marker.reads++;
      if (marker.isAway) throw new Error('away');
      return marker.version;
    },
    announcedMs: 60_000,
    pollMs: 1,
    nowMs: () => clock.nowMs,
  });
  let heard = 0;
  watched.subscribe(() => heard++);
  onTestFinished(() => watched.stop());
  /** Resolves when it has looked at what is there now. */
  const looked = async () => {
    const { reads } = marker;
    await until(() => marker.reads >= reads + 2);
  };
  return { watched, marker, clock, heard: () => heard, looked };
}

test('at the start there may be anything, and later nothing', async () => {
  const { watched, clock, looked } = watch();
  expect(watched.areRecent).toBe(true);
  await looked();
  clock.nowMs = 59_999;
  await looked();
  expect(watched.areRecent).toBe(true);
  clock.nowMs = 60_000;
  await looked();
  expect(watched.areRecent).toBe(false);
});

test('a mark is heard once, and holds for as long as its writes may come', async () => {
  const { watched, marker, clock, heard, looked } = watch();
  await looked();
  clock.nowMs = 100_000;
  await looked();
  const before = heard();
  marker.version = 'a';
  await looked();
  await looked();
  expect([heard() - before, watched.areRecent]).toEqual([1, true]);
  clock.nowMs = 160_000;
  await looked();
  expect(watched.areRecent).toBe(false);
});

test('where the marker cannot be read, there may be anything', async () => {
  const { watched, marker, clock, heard, looked } = watch();
  await looked();
  clock.nowMs = 100_000;
  await looked();
  const before = heard();
  marker.isAway = true;
  await looked();
  expect(watched.areRecent).toBe(true);
  marker.isAway = false;
  await looked();
  expect(heard() - before).toBe(1);
});

test('without any mark it is looked every ten minutes all the same', async () => {
  const { watched, clock, heard, looked } = watch();
  await looked();
  const before = heard();
  clock.nowMs = 599_999;
  await looked();
  expect(heard() - before).toBe(0);
  clock.nowMs = 600_000;
  await looked();
  expect([heard() - before, watched.areRecent]).toEqual([1, true]);
});
