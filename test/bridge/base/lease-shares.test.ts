// Who is to have which shared lease: fair to within one, reached with as few moves as can be, and then at rest.
import { expect, test } from 'vitest';
import { type SharedLease, sharesOf } from '../../../bridge/base/lease-shares.ts';
import { fc } from '../../support/property.ts';

interface Situation {
  readonly bridges: readonly string[];
  readonly leases: readonly SharedLease[];
}

const situation: fc.Arbitrary<Situation> = fc
  .record({
    count: fc.integer({ min: 1, max: 6 }),
    holders: fc.array(fc.tuple(fc.nat(3), fc.option(fc.nat(5))), { maxLength: 40 }),
  })
  .map(({ count, holders }) => {
    const bridges = Array.from({ length: count }, (_, index) => `bridge-${index}`);
    const leases = holders.map(([route, holder], index) => ({
      name: `route-${route}-${index}`,
      route: `route-${route}`,
      holder: holder === null ? undefined : bridges[holder % count],
    }));
    return { bridges, leases };
  });

const countsOf = ({ bridges, leases }: Situation) =>
  bridges.map((id) => leases.filter(({ holder }) => holder === id).length);

const spread = (counts: readonly number[]) => Math.max(...counts) - Math.min(...counts);

/** All that have something to do in a situation do it at once. */
function next({ bridges, leases }: Situation): { after: Situation; moves: number } {
  const { takers, surplus } = sharesOf(leases, bridges);
  const given = new Set([...surplus.values()].map(([first]) => first));
  const after = leases.map((lease) => ({
    ...lease,
    holder: given.has(lease.name) ? undefined : (lease.holder ?? takers.get(lease.name)),
  }));
  return { after: { bridges, leases: after }, moves: given.size };
}

function atRest(start: Situation): { end: Situation; moves: number } {
  let end = start;
  let moves = 0;
  for (let round = 0; round < 200; round++) {
    const step = next(end);
    if (JSON.stringify(step.after) === JSON.stringify(end)) return { end, moves };
    end = step.after;
    moves += step.moves;
  }
  throw new Error('it does not come to rest');
}

test('it comes to rest where all are held, and none has two more than another', () => {
  fc.assert(
    fc.property(situation, (start) => {
      const { end } = atRest(start);
      expect(end.leases.filter(({ holder }) => holder === undefined)).toEqual([]);
      expect(spread(countsOf(end))).toBeLessThanOrEqual(1);
    }),
  );
});

test('nothing moves that need not', () => {
  fc.assert(
    fc.property(situation, (start) => {
      const { after: held } = next(start);
      const counts = countsOf(held);
      const fair = held.leases.length / held.bridges.length;
      // Those above the share have to come down to it, those below have to come up: the larger of the two must move.
      const above = counts.reduce((sum, count) => sum + Math.max(0, count - Math.ceil(fair)), 0);
      const below = counts.reduce((sum, count) => sum + Math.max(0, Math.floor(fair) - count), 0);
      const isFree = held.leases.some(({ holder }) => holder === undefined);
      if (!isFree) expect(atRest(held).moves).toBe(Math.max(above, below));
    }),
  );
});

test('every bridge comes to the same answer, in whatever order it reads', () => {
  fc.assert(
    fc.property(situation, fc.nat(), ({ bridges, leases }, seed) => {
      const turned = <T>(all: readonly T[]) => {
        const at = all.length === 0 ? 0 : seed % all.length;
        return [...all.slice(at), ...all.slice(0, at)].reverse();
      };
      const [one, other] = [sharesOf(leases, bridges), sharesOf(turned(leases), turned(bridges))];
      expect([...other.takers].sort()).toEqual([...one.takers].sort());
      expect([...other.surplus].sort()).toEqual([...one.surplus].sort());
    }),
  );
});

test('a newcomer gets connections of each route', () => {
  const leases = ['a', 'b'].flatMap((route) =>
    Array.from({ length: 8 }, (_, index) => ({ name: `${route}-${index}`, route, holder: 'old' })),
  );
  const { end } = atRest({ bridges: ['old', 'new'], leases });
  for (const route of ['a', 'b'])
    expect(
      end.leases.filter((lease) => lease.route === route && lease.holder === 'new'),
    ).toHaveLength(4);
});

test('one that has taken nothing yet draws one lease at a time', () => {
  const leases = Array.from({ length: 9 }, (_, index) => ({
    name: `a-${index}`,
    route: 'a',
    holder: index === 0 ? undefined : 'old',
  }));
  const { takers, surplus } = sharesOf(leases, ['old', 'new']);
  expect([...takers]).toEqual([['a-0', 'new']]);
  expect(surplus.size).toBe(0);
});
