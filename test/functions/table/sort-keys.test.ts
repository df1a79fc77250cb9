import { expect, test } from 'vitest';
import { compareSortKeys } from '../../../functions/table/sort-keys.ts';

test('sort keys are ordered by their bytes in UTF-8, also where JavaScript orders otherwise', () => {
  expect(compareSortKeys('\u{1f4a5}', '\uffee')).toBeGreaterThan(0);
  expect('\u{1f4a5}' < '\uffee').toBe(true);
});
