// What a caller reads over many instances: no more than its limit, what is free in each, and each one's last query.

import { expect, test } from 'vitest';
import { type Share, takeInMemory, windowMs } from '../../../../functions/api/access/allowance.ts';
import { limitsSchema } from '../../../../functions/api/access/limits.ts';
import { createAllowances, freeReadUnits } from '../../../../functions/api/access/spending.ts';
import { fc } from '../../../support/property.ts';

const limits = limitsSchema.parse({});
const perWindow = (limits.callerReadUnitsPerSecond * windowMs) / 1000;
const caller = 'token:reader';

/** Instances of one clock that share a count of what was taken. */
function instances(count: number) {
  const clock = { ms: 0 };
  const asked: Share[] = [];
  const taken: Share[] = [];
  const inMemory = takeInMemory();
  const takeShare = async (share: Share) => {
    asked.push(share);
    const isTaken = await inMemory(share);
    if (isTaken) taken.push(share);
    return isTaken;
  };
  const all = Array.from({ length: count }, () =>
    createAllowances(limits, takeShare, () => clock.ms),
  );
  return { clock, asked, taken, all };
}

type Instance = ReturnType<typeof instances>['all'][number];

/** A request that sends queries until it may not, as the reader of a partition does; resolves with what they took. */
async function request(instance: Instance | undefined, queries: readonly number[]) {
  if (instance === undefined || (await instance.refusal(caller)) !== undefined) return [];
  const { budget } = instance.of(caller);
  const read: number[] = [];
  for (const units of queries) {
    if (!(await budget.mayRead())) break;
    budget.book(units);
    read.push(units);
  }
  return read;
}

const sum = (amounts: readonly number[]) => amounts.reduce((total, amount) => total + amount, 0);

test.each([1, 10, 26, 100])(
  '%i instances that read 1 MB a query, all at once, in two windows',
  async (count) => {
    const { clock, all } = instances(count);
    clock.ms = windowMs - 1;
    const read: number[] = [];
    for (let window = 0; window < 2; window++) {
      let units = 0;
      for (let round = 0; round < 30; round++) {
        const answers = await Promise.all(all.map((one) => request(one, [128, 128, 128])));
        units += sum(answers.flat());
      }
      read.push(units);
      clock.ms += 1;
    }
    for (const units of read) {
      expect(units).toBeGreaterThanOrEqual(perWindow - 128 * count);
      expect(units).toBeLessThanOrEqual(perWindow + count * (freeReadUnits + 128));
      if (count <= 26) expect(units).toBeLessThanOrEqual(2 * perWindow);
    }
    expect(sum(read)).toBeLessThanOrEqual(2 * perWindow + count * (2 * freeReadUnits + 128));
  },
);

test('whatever is read where and when: beyond what is taken, each instance has what is free and one query', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          instance: fc.nat(2),
          queries: fc.array(fc.integer({ min: 1, max: 128 }), { minLength: 1, maxLength: 6 }),
          afterMs: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, fc.nat(windowMs)),
        }),
        { minLength: 1, maxLength: 80 },
      ),
      async (steps) => {
        const { clock, taken, all } = instances(3);
        const windows = new Map<number, number>();
        for (const { instance, queries, afterMs } of steps) {
          clock.ms += afterMs;
          const window = Math.floor(clock.ms / windowMs);
          const read = sum(await request(all[instance], queries));
          windows.set(window, (windows.get(window) ?? 0) + read);
        }
        for (const [window, units] of windows) {
          const paid = sum(
            taken.filter((one) => one.window === window).map(({ amount }) => amount),
          );
          expect(paid).toBeLessThanOrEqual(perWindow);
          expect(units).toBeLessThanOrEqual(paid + 3 * (freeReadUnits + 128));
        }
      },
    ),
  );
});

test('a light reader is written down nowhere, window after window', async () => {
  const { clock, asked, all } = instances(3);
  for (let window = 0; window < 5; window++) {
    for (const one of all)
      for (let page = 0; page < freeReadUnits / 4; page++)
        expect(await request(one, [4])).toEqual([4]);
    clock.ms += windowMs;
  }
  expect(asked).toEqual([]);
});

test('a page goes on with what is taken in the middle of it, one share for 256 units', async () => {
  const { asked, all } = instances(1);
  expect(await request(all[0], [100, 100, 100])).toEqual([100, 100, 100]);
  expect(asked.map(({ amount }) => amount)).toEqual([256]);
});

test('a page ends where the caller has nothing left, and the next request is refused until it has', async () => {
  const { clock, all } = instances(2);
  all[0]?.of(caller).budget.book(freeReadUnits + perWindow);
  expect(await all[0]?.refusal(caller)).toBeUndefined();
  expect(await request(all[1], [100, 100, 100])).toEqual([100]);
  expect((await all[1]?.refusal(caller))?.status).toBe(429);
  clock.ms += windowMs;
  expect(await all[1]?.refusal(caller)).toBeUndefined();
});

test('all requests of a process hold so much at once, each until it is answered', () => {
  const [instance] = instances(1).all;
  const mebibyte = 1024 * 1024;
  const spend = () => instance?.of(caller);
  const [first, second] = [spend(), spend()];
  expect(first?.budget.mayHold(100 * mebibyte)).toBe(true);
  expect(second?.budget.unbounded().mayHold(20 * mebibyte)).toBe(true);
  expect(second?.budget.mayHold(20 * mebibyte)).toBe(false);
  first?.end();
  expect(second?.budget.mayHold(100 * mebibyte)).toBe(true);
  // What goes on behind its answer would never be let go.
  expect(first?.budget.mayHold(1)).toBe(false);
  second?.end();
  expect(spend()?.budget.mayHold(128 * mebibyte)).toBe(true);
});
