// Everybody has a turn, whatever others put in.

import { expect, test } from 'vitest';
import { FairQueue } from '../../../infra/broker/access/fair-queue.ts';
import { fc } from '../../support/property.ts';

interface Item {
  readonly address: string;
  readonly name: string;
  readonly number: number;
}

const items = fc
  .array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('x', 'y')), { maxLength: 40 })
  .map((pairs) => pairs.map(([address, name], number): Item => ({ address, name, number })));

function filled(all: readonly Item[]): FairQueue<Item> {
  const queue = new FairQueue<Item>();
  for (const item of all) queue.push(item.address, item.name, item);
  return queue;
}

function drained(queue: FairQueue<Item>): Item[] {
  const taken: Item[] = [];
  for (let item = queue.shift(); item !== undefined; item = queue.shift()) taken.push(item);
  return taken;
}

/** Whether nobody has two turns between two of another. */
function isFair(turns: readonly string[]): boolean {
  return turns.every((one, place) => {
    const next = turns.indexOf(one, place + 1);
    const between = turns.slice(place + 1, next);
    return next === -1 || new Set(between).size === between.length;
  });
}

test('each comes out once, in turn by address and by name, and those of one name in their order', () => {
  fc.assert(
    fc.property(items, (all) => {
      const queue = filled(all);
      expect(queue.size).toBe(all.length);
      const taken = drained(queue);
      expect(queue.size).toBe(0);
      expect(taken.map(({ number }) => number).sort((a, b) => a - b)).toEqual([...all.keys()]);
      expect(isFair(taken.map(({ address }) => address))).toBe(true);
      for (const of of ['a', 'b', 'c']) {
        const own = taken.filter(({ address }) => address === of);
        expect(isFair(own.map(({ name }) => name))).toBe(true);
        for (const lane of ['x', 'y']) {
          const numbers = own.filter(({ name }) => name === lane).map(({ number }) => number);
          expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
        }
      }
    }),
  );
});

test('what is removed does not come out, and what is dropped is the last of who has most', () => {
  const all = ['a', 'a', 'a', 'b'].map((address, number) => ({ address, name: 'x', number }));
  const [first, second, third, other] = all as [Item, Item, Item, Item];
  const queue = filled(all);
  queue.remove('a', 'x', first);
  queue.remove('a', 'x', first);
  expect(queue.dropLast()).toBe(third);
  expect([queue.size, drained(queue)]).toEqual([2, [second, other]]);
  expect(queue.dropLast()).toBeUndefined();
});
