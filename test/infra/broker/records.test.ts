// The numbers of connections: greater for later ones, whatever becomes of the process, its folder and its clock.
import { expect, onTestFinished, test } from 'vitest';
import { Store } from '../../../infra/broker/store/broker-store.ts';
import { newEpochs } from '../../../infra/broker/store/records.ts';
import { temporaryFolder } from '../../support/brokers.ts';

async function epochsOf(folder: string, nowMs: number, connections = 3): Promise<number[]> {
  const store = await Store.open(folder);
  onTestFinished(() => store.close());
  const next = await newEpochs(store, nowMs);
  const epochs = Array.from({ length: connections }, next);
  await store.close();
  return epochs;
}

const nowMs = Date.parse('2026-11-23T12:00:00Z');

test.each([
  ['later', nowMs + 60_000],
  ['at once', nowMs],
  ['with a clock that was set back by a year', nowMs - 365 * 86_400_000],
])('a process that is started %s goes on above the one before it', async (_, thenMs) => {
  const folder = temporaryFolder('epochs');
  const before = await epochsOf(folder, nowMs);
  const after = await epochsOf(folder, thenMs);
  const all = [...before, ...after];
  expect(all).toEqual([...new Set(all)].sort((a, b) => a - b));
  expect(all.every(Number.isSafeInteger)).toBe(true);
});

test('so does one that has lost its folder, also after many starts in a row', async () => {
  const folder = temporaryFolder('epochs');
  const before: number[] = [];
  for (let start = 0; start < 10; start++)
    before.push(...(await epochsOf(folder, nowMs + start * 1000)));
  const [first = 0] = await epochsOf(temporaryFolder('epochs'), nowMs + 10 * 60_000);
  expect(first).toBeGreaterThan(Math.max(...before));
});
