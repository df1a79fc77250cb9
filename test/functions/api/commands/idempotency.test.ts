import { v7 as uuidv7, validate, version } from 'uuid';
import { describe, expect, test } from 'vitest';
import { principalOf } from '../../../../functions/api/access/scopes.ts';
import { idempotencyOf, uuidsFrom } from '../../../../functions/api/commands/idempotency.ts';
import { fc } from '../../../support/property.ts';

describe('uuidsFrom', () => {
  test('gives the same UUIDs each time, in order, the first its own', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2 ** 47 }),
        fc.integer({ min: 1, max: 50 }),
        (msecs, count) => {
          const uuid = uuidv7({ msecs });
          const uuids = uuidsFrom(uuid, count);
          expect(uuids).toEqual(uuidsFrom(uuid, count));
          expect(uuids[0]).toBe(uuid);
          expect(uuids.every((one) => validate(one) && version(one) === 7)).toBe(true);
          expect([...new Set(uuids)].sort()).toEqual(uuids);
          expect(uuids).toHaveLength(count);
        },
      ),
    );
  });
});

test('no two callers share a key, whatever their names', () => {
  const name = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\\'), maxLength: 4 });
  fc.assert(
    fc.property(name, name, name, name, (a, key, b, otherKey) => {
      const first = idempotencyOf(principalOf(a, []), key, '');
      const second = idempotencyOf(principalOf(b, []), otherKey, '');
      expect(first.partition === second.partition).toBe(a === b && key === otherKey);
    }),
  );
});
