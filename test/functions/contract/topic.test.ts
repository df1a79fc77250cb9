import { describe, expect, test } from 'vitest';
import {
  filterFault,
  intersectionOf,
  literalPrefix,
  matchesFilter,
  maxStringBytes,
  publishTopicFault,
  topicFault,
} from '../../../functions/contract/topic.ts';
import { legalTopic } from '../../support/messages.ts';
import { fc } from '../../support/property.ts';

describe('topicFault', () => {
  test.each(['a', '/', 'a//b', 'ünï/↑', '$SYS/x', 'a b', 'x'.repeat(maxStringBytes), '\ufeffa'])(
    'accepts %j',
    (topic) => {
      expect(topicFault(topic)).toBeUndefined();
    },
  );

  test.each([
    ['', /empty/],
    ['a/+/b', /wildcards/],
    ['a/#', /wildcards/],
    ['a\u0000b', /U\+0000/],
    ['a\nb', /control/],
    ['a\u0085b', /control/],
    ['\ud800', /surrogates/],
    ['a\uffff', /noncharacters/],
    ['\u{1fffe}', /noncharacters/],
    ['ü'.repeat(32_768), /65535 bytes/],
  ])('refuses %j', (topic, rule) => {
    expect(topicFault(topic)).toMatch(rule);
  });
});

test('publishTopicFault leaves $ topics to the broker', () => {
  expect(publishTopicFault('$SYS/broker')).toMatch(/start with \$/);
  expect(publishTopicFault('a/$b')).toBeUndefined();
});

describe('filterFault', () => {
  test.each(['#', '+', 'a/+/b/#', '/+', '+/+', '/'])('accepts %j', (filter) => {
    expect(filterFault(filter)).toBeUndefined();
  });

  test.each(['', 'a#', 'a/#/b', '##', 'a+', '+a/b', 'a\u0000'])('refuses %j', (filter) => {
    expect(filterFault(filter)).toBeDefined();
  });
});

const level = fc.constantFrom('a', 'b', '', 'ab', '$');
const anyTopic = fc
  .array(level, { minLength: 1, maxLength: 4 })
  .map((levels) => levels.join('/'))
  .filter((topic) => topic !== '');
const anyFilter = fc
  .array(fc.oneof(level, fc.constant('+')), { minLength: 0, maxLength: 4 })
  .chain((levels) => fc.constantFrom(levels.join('/'), [...levels, '#'].join('/')))
  .filter((filter) => filter !== '');

describe('matchesFilter', () => {
  test.each([
    ['#', 'a/b', true],
    ['a/#', 'a', true],
    ['a/#', 'ab', false],
    ['a/#', 'a/b/c', true],
    ['+', 'a', true],
    ['+', '/a', false],
    ['/+', '/a', true],
    ['+/+', '/a', true],
    ['a/+', 'a', false],
    ['a/+/c', 'a//c', true],
    ['#', '$SYS/x', false],
    ['+/x', '$SYS/x', false],
    ['$SYS/#', '$SYS/x', true],
    ['A', 'a', false],
  ])('%s and %s: %s', (filter, topic, matches) => {
    expect(matchesFilter(filter, topic)).toBe(matches);
  });

  test('a topic matches itself, and itself with any levels made wildcards', () => {
    fc.assert(
      fc.property(legalTopic, fc.infiniteStream(fc.boolean()), fc.nat(6), (topic, coin, cut) => {
        fc.pre(!topic.startsWith('$'));
        expect(matchesFilter(topic, topic)).toBe(true);
        const levels = topic.split('/').map((level) => (coin.next().value ? '+' : level));
        expect(matchesFilter(levels.join('/'), topic)).toBe(true);
        expect(matchesFilter([...levels.slice(0, cut), '#'].join('/'), topic)).toBe(true);
      }),
    );
  });

  test('levels are matched as the definition has it', () => {
    fc.assert(
      fc.property(anyTopic, anyFilter, (topic, filter) => {
        expect(matchesFilter(filter, topic)).toBe(matchesByDefinition(filter, topic));
      }),
      { numRuns: 5000 },
    );
  });

  test('every topic that a filter matches starts with its literal prefix', () => {
    fc.assert(
      fc.property(anyTopic, anyFilter, (topic, filter) => {
        fc.pre(matchesFilter(filter, topic));
        expect(topic.startsWith(literalPrefix(filter))).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('intersectionOf', () => {
  test.each([
    ['#', 'a/b', 'a/b'],
    ['a/#', '+/b/#', 'a/b/#'],
    ['a/#', 'a', 'a'],
    ['a/#', '+', 'a'],
    ['a/+', '+/b', 'a/b'],
    ['a/+', 'a/b/c', undefined],
    ['a', 'b', undefined],
    ['#', '$SYS/a', undefined],
    ['+/a', '$SYS/#', undefined],
    ['$SYS/#', '$SYS/+', '$SYS/+'],
  ])('of %s and %s', (a, b, both) => {
    expect([intersectionOf(a, b), intersectionOf(b, a)]).toEqual([both, both]);
  });

  test('matches what both match, and nothing else', () => {
    fc.assert(
      fc.property(anyTopic, anyFilter, anyFilter, (topic, a, b) => {
        const both = intersectionOf(a, b);
        expect(both !== undefined && matchesFilter(both, topic)).toBe(
          matchesFilter(a, topic) && matchesFilter(b, topic),
        );
        if (both !== undefined) expect(filterFault(both)).toBeUndefined();
      }),
      { numRuns: 5000 },
    );
  });
});

/** As [MQTT-4.7.1] and [MQTT-4.7.2-1] say it. */
function matchesByDefinition(filter: string, topic: string): boolean {
  if (topic.startsWith('$') && /^[+#]/.test(filter)) return false;
  const wanted = filter.split('/');
  const levels = topic.split('/');
  const hasRest = wanted.at(-1) === '#';
  const fixed = hasRest ? wanted.slice(0, -1) : wanted;
  const isLong = hasRest ? levels.length >= fixed.length : levels.length === fixed.length;
  return isLong && fixed.every((level, index) => level === '+' || level === levels[index]);
}
