// What one user may have, whatever others have, and what stays free for the server's own.

import { expect, test } from 'vitest';
import { noParties, Shares } from '../../../infra/broker/quotas/shares.ts';
import { fc } from '../../support/property.ts';

const limits = {
  what: 'sessions',
  max: 20,
  maxSetting: 'max',
  perUser: 8,
  perUserSetting: 'perUser',
};
const all = { users: true, own: true };
const user = fc.constantFrom(undefined, 'a', 'b', '$own');

test('nobody has more than its share, all together no more than there is, and the own its tenth always', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(user, fc.boolean()), { maxLength: 100 }), (steps) => {
      const shares = new Shares(limits, all);
      const held = new Map<string | undefined, number>();
      for (const [who, more] of steps) {
        const has = held.get(who) ?? 0;
        if (!more && has === 0) continue;
        if (more && shares.fault(who) !== undefined) continue;
        shares.add(who, more ? 1 : -1);
        held.set(who, has + (more ? 1 : -1));
      }
      const own = held.get('$own') ?? 0;
      const total = [...held.values()].reduce((sum, one) => sum + one, 0);
      expect(total).toBeLessThanOrEqual(limits.max);
      for (const one of held.values()) expect(one).toBeLessThanOrEqual(limits.perUser);
      // The tenth is two.
      expect(total - own).toBeLessThanOrEqual(limits.max - Math.max(0, 2 - own));
      if (own < 2) expect(shares.fault('$own')).toBeUndefined();
      for (const one of [undefined, 'a', 'b'])
        if ((held.get(one) ?? 0) < limits.perUser && total - own < 10)
          expect(shares.fault(one)).toBeUndefined();
    }),
  );
});

test('the refusal names the user, what it has, and the setting', () => {
  const shares = new Shares(limits, all);
  shares.add('a', 8);
  expect(shares.fault('a')).toBe('a has 8 of 8 sessions, and may have 8 (perUser)');
  shares.add('b', 10);
  expect(shares.fault(undefined)).toMatch(
    /^anonymous has 0 of 18 sessions, .* room for 18 .*\(max\)/,
  );
});

test('without users and without the own, one may have everything', () => {
  const shares = new Shares(limits, noParties);
  expect([shares.fault(undefined, 20), shares.fault('a', 20)]).toEqual([undefined, undefined]);
  expect(shares.fault(undefined, 21)).toBeDefined();
});
