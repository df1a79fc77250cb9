// Which sort keys topic filters can match, where a partition is sorted by names that are topics or looked at as such.

import { literalPrefix } from '../contract/topic.ts';
import { maxKeyTopicBytes } from './item.ts';
import type { SortKeyRange } from './partition.ts';
import { compareSortKeys } from './sort-keys.ts';

/** No topic or client id contains this noncharacter, and none sorts behind it. */
const lastCharacter = '\u{10ffff}';

/** Names too long for a key stand under `#` and a hash, where no prefix leads. */
const hashed = { low: '#', high: `#${lastCharacter}` };

/**
 * The ranges that hold what the filters match, in the order they are read, behind `after`. `keyOf` makes a name's key:
 * itself, or `#` and its hash.
 */
export function rangesOfFilters(
  filters: readonly string[],
  after: string | undefined,
  keyOf: (name: string) => string,
): SortKeyRange[] {
  const ranges = filters.flatMap((filter) => rangesOf(filter, keyOf));
  const whole = ranges.find(({ low }) => low === ' ');
  if (whole !== undefined) return [{ ...whole, newestFirst: false, after }];
  return united(ranges)
    .filter(({ high }) => after === undefined || compareKeys(high, after) > 0)
    .map((range) => ({
      ...range,
      newestFirst: false,
      after: after !== undefined && compareKeys(range.low, after) <= 0 ? after : undefined,
    }));
}

/** The order in which ranges are read: hashed names come last. */
function compareKeys(a: string, b: string): number {
  return Number(a.startsWith('#')) - Number(b.startsWith('#')) || compareSortKeys(a, b);
}

interface KeyRange {
  readonly low: string;
  readonly high: string;
}

function rangesOf(filter: string, keyOf: (name: string) => string): KeyRange[] {
  if (!/[+#]/.test(filter)) return [single(keyOf(filter))];
  const prefix = literalPrefix(filter);
  if (prefix === '') return [{ low: ' ', high: lastCharacter }];
  if (Buffer.byteLength(prefix) > maxKeyTopicBytes) return [hashed];
  // `a/#` matches `a` and what begins with `a/`, between which `a-b` and all below it may stand.
  const isParent = filter === `${prefix}/#`;
  const low = isParent ? `${prefix}/` : prefix;
  return [...(isParent ? [single(prefix)] : []), { low, high: `${low}${lastCharacter}` }, hashed];
}

function single(key: string): KeyRange {
  return { low: key, high: key };
}

/** The same keys in as few ranges, in the order they are read: what two filters match is read once. */
function united(ranges: readonly KeyRange[]): KeyRange[] {
  const merged: KeyRange[] = [];
  for (const range of ranges.toSorted((a, b) => compareKeys(a.low, b.low))) {
    const last = merged.at(-1);
    if (last === undefined || compareKeys(range.low, last.high) > 0) merged.push(range);
    else if (compareKeys(range.high, last.high) > 0)
      merged[merged.length - 1] = { low: last.low, high: range.high };
  }
  return merged;
}
