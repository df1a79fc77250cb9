import { expect, test } from 'vitest';
import { type Account, Budget } from '../../../bridge/memory/budget.ts';
import { fc } from '../../support/property.ts';

const floorsArbitrary = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 6 });

/** A budget with accounts of these floors, and so much that is nobody's floor. */
function opened(floors: readonly number[], sharedBytes: number) {
  const total = floors.reduce((sum, floor) => sum + floor, sharedBytes);
  const budget = new Budget(total);
  const accounts = floors.map((floor) => budget.open(floor));
  const held = () => accounts.reduce((sum, account) => sum + account.heldBytes, 0);
  return { total, budget, accounts, held };
}

/** Takes as many pieces as fit; how many bytes that are. */
function fill(account: Account, piece: number): number {
  const before = account.heldBytes;
  while (account.fits(piece)) account.take(piece);
  return account.heldBytes - before;
}

test('the sum never is above the total, and every account can always take its floor', () => {
  const steps = fc.array(
    fc.record({
      account: fc.nat(),
      // In thousandths of the floor; nothing is larger than a floor.
      size: fc.integer({ min: 1, max: 1000 }),
      gives: fc.boolean(),
    }),
    { maxLength: 200 },
  );
  fc.assert(
    fc.property(floorsArbitrary, fc.nat({ max: 500 }), steps, (floors, shared, given) => {
      const { total, accounts, held } = opened(floors, shared);
      const pieces: number[][] = floors.map(() => []);
      for (const { account: nth, size, gives } of given) {
        const index = nth % floors.length;
        const account = accounts[index];
        const floor = floors[index] ?? 0;
        if (account === undefined) throw new Error('no account');
        const bytes = Math.ceil((floor * size) / 1000);
        if (gives) {
          account.give(pieces[index]?.pop() ?? 0);
        } else {
          const fits = account.fits(bytes);
          if (account.heldBytes + bytes <= floor) expect(fits).toBe(true);
          if (!fits) continue;
          account.take(bytes);
          pieces[index]?.push(bytes);
        }
        expect(held()).toBeLessThanOrEqual(total);
      }
      // All of it comes back.
      for (const [index, account] of accounts.entries())
        for (const bytes of pieces[index] ?? []) account.give(bytes);
      expect(held()).toBe(0);
      for (const [index, account] of accounts.entries())
        expect(account.fits(floors[index] ?? 0)).toBe(true);
    }),
  );
});

test('who holds all that it can get leaves the others their floors and more', () => {
  const { accounts, total, held } = opened([10, 10, 10], 120);
  const [greedy, second, third] = accounts;
  if (!greedy || !second || !third) throw new Error('no account');
  expect(fill(greedy, 1)).toBe(10 + 60);
  expect(fill(second, 1)).toBe(10 + 30);
  expect(fill(third, 1)).toBe(10 + 15);
  expect(held()).toBeLessThanOrEqual(total);
  // And when the greedy one ends, the others share what it had.
  greedy.give(70);
  expect(fill(second, 1)).toBeGreaterThan(20);
});

test('what is above a floor goes into an empty account alone, and is in nobody else’s way below its floor', () => {
  const { accounts } = opened([10, 10], 20);
  const [large, other] = accounts;
  if (!large || !other) throw new Error('no account');
  expect(large.fits(1000)).toBe(true);
  large.take(1000);
  expect(large.fits(1)).toBe(false);
  expect(fill(other, 1)).toBe(10);
  large.give(1000);
  expect(other.fits(1)).toBe(true);
});

test('who waits is called once there is room, those first who have waited longest', async () => {
  const [account] = opened([10], 0).accounts;
  if (account === undefined) throw new Error('no account');
  const seen: string[] = [];
  const wait = (name: string, bytes: number) =>
    account.whenFits(bytes, () => {
      seen.push(name);
      account.take(bytes);
    });
  account.take(10);
  wait('a', 6);
  wait('b', 3);
  wait('c', 6);
  wait('d', 1);
  await settled();
  expect(seen).toEqual([]);
  account.give(10);
  await settled();
  // What does not fit beside those before it waits on, and is in nobody's way.
  expect(seen).toEqual(['a', 'b', 'd']);
  account.give(6);
  await settled();
  expect(seen).toEqual(['a', 'b', 'd', 'c']);
});

test('who waits for what fits is called soon, and not at once', async () => {
  const { accounts } = opened([10], 0);
  let isCalled = false;
  accounts[0]?.whenFits(5, () => {
    isCalled = true;
  });
  expect(isCalled).toBe(false);
  await settled();
  expect(isCalled).toBe(true);
});

test('everybody who waits gets room in the end', async () => {
  const sizes = fc.array(fc.tuple(fc.nat({ max: 2 }), fc.integer({ min: 1, max: 30 })), {
    maxLength: 40,
  });
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: 100 }), sizes, async (shared, given) => {
      const { accounts, held, total } = opened([30, 30, 30], shared);
      let served = 0;
      await Promise.all(
        given.map(async ([nth, bytes]) => {
          const account = accounts[nth];
          if (account === undefined) throw new Error('no account');
          while (!account.fits(bytes)) await account.room(bytes);
          account.take(bytes);
          expect(held()).toBeLessThanOrEqual(total);
          await settled();
          account.give(bytes);
          served++;
        }),
      );
      expect(served).toBe(given.length);
    }),
    { numRuns: 30 },
  );
});

test('floors above the total are refused', () => {
  expect(() => new Budget(10).open(11)).toThrow();
});

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));
