// Allowances over many instances: never more than a window's limit, whatever they take, give back or use beyond.

import { expect, test } from 'vitest';
import {
  Allowance,
  type Share,
  takeInMemory,
  windowMs,
} from '../../../../functions/api/access/allowance.ts';
import { fc } from '../../../support/property.ts';

/** Instances that share a count of what was taken. */
function instances(count: number, options: { perWindow: number; block: number; free?: number }) {
  const clock = { ms: 0 };
  const asked: Share[] = [];
  const inMemory = takeInMemory();
  const takeShare = (share: Share) => {
    asked.push(share);
    return inMemory(share);
  };
  const all = Array.from(
    { length: count },
    () => new Allowance({ name: 'things', ...options, takeShare, now: () => clock.ms }),
  );
  const [first = new Allowance({ name: 'none', ...options, takeShare })] = all;
  return { clock, asked, all, first };
}

test('what many instances take in a window is within its limit, and twice that in any stretch as long', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          instance: fc.nat(7),
          amount: fc.integer({ min: 1, max: 40 }),
          afterMs: fc.nat(2000),
          unused: fc.nat(40),
        }),
        { maxLength: 120 },
      ),
      async (steps) => {
        const { clock, all } = instances(8, { perWindow: 100, block: 10 });
        const used: { ms: number; amount: number }[] = [];
        for (const { instance, amount, afterMs, unused } of steps) {
          clock.ms += afterMs;
          const grant = await all[instance]?.take('caller', amount);
          if (grant === undefined) continue;
          const back = Math.min(unused, amount);
          grant.giveBack(back);
          used.push({ ms: clock.ms, amount: amount - back });
        }
        for (const { ms: fromMs } of used) {
          const inStretch = used.filter(({ ms }) => ms >= fromMs && ms < fromMs + windowMs);
          expect(inStretch.reduce((sum, { amount }) => sum + amount, 0)).toBeLessThanOrEqual(200);
        }
        const windows = new Map<number, number>();
        for (const { ms, amount } of used) {
          const window = Math.floor(ms / windowMs);
          windows.set(window, (windows.get(window) ?? 0) + amount);
        }
        expect(Math.max(0, ...windows.values())).toBeLessThanOrEqual(100);
      },
    ),
  );
});

test('a caller alone gets all of it, in blocks, and asks little more once it is refused', async () => {
  const { asked, first, clock } = instances(1, { perWindow: 1000, block: 50 });
  for (let count = 0; count < 1000; count++) expect(await first.take('caller', 1)).toBeDefined();
  expect(asked).toHaveLength(20);
  for (let count = 0; count < 1000; count++) expect(await first.take('caller', 1)).toBeUndefined();
  expect(asked.length).toBeLessThan(25);
  clock.ms += windowMs;
  expect(await first.take('caller', 1000)).toBeDefined();
});

test('holders have nothing to do with each other', async () => {
  const { first } = instances(1, { perWindow: 10, block: 1 });
  expect(await first.take('one', 10)).toBeDefined();
  expect(await first.take('one', 1)).toBeUndefined();
  expect(await first.take('other', 10)).toBeDefined();
});

test('where a block is too much, what is missing is taken; less can be had after a refusal', async () => {
  const { all } = instances(2, { perWindow: 100, block: 60 });
  expect(await all[0]?.take('caller', 10)).toBeDefined();
  expect(await all[1]?.take('caller', 30)).toBeDefined();
  expect(await all[1]?.take('caller', 30)).toBeUndefined();
  expect(await all[1]?.take('caller', 10)).toBeDefined();
});

test('what was used beyond is paid before anything else, over as many windows as it takes', async () => {
  const { first, clock } = instances(1, { perWindow: 100, block: 10, free: 5 });
  first.book('caller', 250);
  let windows = 0;
  for (; (await first.take('caller', 0)) === undefined; windows++) clock.ms += windowMs;
  expect(windows).toBe(2);
});

test('what is free is taken without asking', async () => {
  const { first, asked } = instances(1, { perWindow: 100, block: 10, free: 5 });
  for (let count = 0; count < 5; count++) {
    expect(await first.take('caller', 0)).toBeDefined();
    first.book('caller', 1);
  }
  expect(asked).toEqual([]);
  first.book('caller', 1);
  expect(await first.take('caller', 0)).toBeDefined();
  expect(asked).toHaveLength(1);
});
