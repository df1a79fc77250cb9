import { expect, test } from 'vitest';
import { waitMsAfter } from '../../../bridge/indexing/pace.ts';

const done = {
  isBehind: false,
  untilMs: 0,
  segments: 64,
  references: 1000,
  buckets: 4,
  unreadable: 0,
};

test.each([
  ['at once where it is behind', { isBehind: true }, 30_000, 0],
  ['longest where nothing comes', { segments: 0 }, 30_000, 60_000],
  ['in time where little comes', { segments: 4 }, 30_000, 30_000],
  ['sooner where much comes', { segments: 256 }, 30_000, 15_000],
  ['not at once, however much', { segments: 100_000 }, 30_000, 5000],
])('%s', (_, parts, sinceMs, expected) => {
  expect(waitMsAfter({ ...done, ...parts }, sinceMs)).toBe(expected);
});
