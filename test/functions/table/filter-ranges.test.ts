// Which keys filters can match: nothing that they match is outside, and a list that goes on leaves nothing out.

import { expect, test } from 'vitest';
import { matchesFilter } from '../../../functions/contract/topic.ts';
import { rangesOfFilters } from '../../../functions/table/filter-ranges.ts';
import { topicKey } from '../../../functions/table/item.ts';
import type { SortKeyRange } from '../../../functions/table/partition.ts';
import { compareSortKeys } from '../../../functions/table/sort-keys.ts';
import { fc } from '../../support/property.ts';

const long = 'x'.repeat(1001);
const level = fc.constantFrom('a', 'b', '', 'a-', '!', long);
const anyTopic = fc
  .array(level, { minLength: 1, maxLength: 3 })
  .map((levels) => levels.join('/'))
  .filter((topic) => topic !== '');
const anyFilter = fc
  .array(fc.oneof(level, fc.constant('+')), { maxLength: 3 })
  .chain((levels) => fc.constantFrom(levels.join('/'), [...levels, '#'].join('/')))
  .filter((filter) => filter !== '');

/** The keys in the ranges, in the order in which they are read, and as often. */
function read(keys: readonly string[], ranges: readonly SortKeyRange[]): string[] {
  const sorted = [...new Set(keys)].sort(compareSortKeys);
  return ranges.flatMap(({ low, high, after }) =>
    sorted.filter(
      (key) =>
        compareSortKeys(low, key) <= 0 &&
        compareSortKeys(key, high) <= 0 &&
        (after === undefined || compareSortKeys(after, key) < 0),
    ),
  );
}

test('what the filters match is read once, also when reading goes on from any key', () => {
  fc.assert(
    fc.property(
      fc.array(anyTopic, { minLength: 1, maxLength: 12 }),
      fc.array(anyFilter, { maxLength: 4 }),
      fc.nat(11),
      (topics, filters, cut) => {
        const keys = topics.map(topicKey);
        const all = read(keys, rangesOfFilters(filters, undefined, topicKey));
        expect(new Set(all).size).toBe(all.length);
        const wanted = topics.filter((topic) => filters.some((one) => matchesFilter(one, topic)));
        expect(all).toEqual(expect.arrayContaining(wanted.map(topicKey)));
        const after = all[cut];
        if (after === undefined) return;
        expect(read(keys, rangesOfFilters(filters, after, topicKey))).toEqual(all.slice(cut + 1));
      },
    ),
    { numRuns: 1000 },
  );
});

test.each([
  [['a/b'], [['a/b', 'a/b']]],
  [
    ['a/b', 'a/c'],
    [
      ['a/b', 'a/b'],
      ['a/c', 'a/c'],
    ],
  ],
  [[], []],
])('without a wildcard a key is read, and nothing beside it: %j', (filters, keys) => {
  const ranges = rangesOfFilters(filters, undefined, topicKey);
  expect(ranges.map(({ low, high }) => [low, high])).toEqual(keys);
});

test('a filter does not read what only begins like it', () => {
  const ranges = rangesOfFilters(['a/#'], undefined, topicKey);
  expect(read(['a', 'a-b', 'a/b', 'ab/c'], ranges)).toEqual(['a', 'a/b']);
});
