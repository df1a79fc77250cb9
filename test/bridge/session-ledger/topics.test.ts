// Whose a topic is: the rules of MQTT, and what a broker makes of topics.

import { describe, expect, test } from 'vitest';
import { topicMatcher, topicOwners } from '../../../bridge/session-ledger/topics.ts';
import { matchesFilter } from '../../../functions/contract/topic.ts';
import { fc } from '../../support/property.ts';

const level = fc.constantFrom('', 'a', 'ab', 'b', '$SYS', 'ü');
const topic = fc.array(level, { minLength: 1, maxLength: 4 }).map((levels) => levels.join('/'));
const filter = fc
  .tuple(fc.array(fc.oneof(level, fc.constant('+')), { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([levels, isOpen]) => [...levels, ...(isOpen ? ['#'] : [])].join('/'));

test('a matcher says what the rules of the contract say', () => {
  const filters = fc.oneof(filter, fc.constantFrom('#', '+', '+/#'));
  fc.assert(
    fc.property(filters, topic, (wanted, name) => {
      expect(topicMatcher(wanted)(name)).toBe(matchesFilter(wanted, name));
    }),
    { numRuns: 3000 },
  );
});

describe('the owner of a topic', () => {
  const earlier = () => ['private/#'];

  test.each([
    ['public/#', 'public/a', 'own'],
    ['public/#', 'private/a', 'foreign'],
    ['public/#', 'other/a', 'unmatched'],
    // No broker sends these for a wildcard [MQTT-4.7.2-1]; NATS and others have done it.
    ['#', '$SYS/uptime', 'foreign'],
    ['+/uptime', '$SYS/uptime', 'foreign'],
    ['$SYS/#', '$SYS/uptime', 'own'],
  ] as const)('%s, %s: %s', (wanted, name, owner) => {
    expect(topicOwners(wanted, earlier, undefined)(name)).toBe(owner);
  });

  test('a broker that rewrites topics is believed, also where an earlier filter would match', () => {
    const owner = topicOwners('a.b', () => ['a/b'], { from: '.', to: '/' });
    expect([owner('a/b'), owner('c/d')]).toEqual(['own', 'unmatched']);
  });
});
