import { expect, test } from 'vitest';
import { compareSortKeys } from '../../../functions/table/sort-keys.ts';
import { concatSteps, mergeSteps, type Steps } from '../../../functions/table/steps.ts';
import { fc } from '../../support/property.ts';
import { walk } from './walk.ts';

/** A reader of these keys that tells where a query ends after every `perQuery` of them, and may have to stop. */
async function* readerOf(
  keys: readonly string[],
  { perQuery = Number.POSITIVE_INFINITY, complete = true } = {},
): Steps {
  for (const [index, key] of keys.entries()) {
    yield (index + 1) % perQuery === 0 ? { key } : { key, item: { sk: { S: key } } };
  }
  return complete;
}

const keys = fc.array(fc.string({ unit: 'binary', maxLength: 4 }), { maxLength: 30 });

test('merged readers give every item once, in order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(keys, { maxLength: 6 }), fc.boolean(), async (lists, newestFirst) => {
      const sorted = (list: readonly string[]) => {
        const unique = [...new Set(list)].sort(compareSortKeys);
        return newestFirst ? unique.reverse() : unique;
      };
      const merged = await walk(
        mergeSteps(
          lists.map((list) => readerOf(sorted(list))),
          newestFirst,
        ),
      );
      expect(merged.steps.map(({ key }) => key)).toEqual(sorted(lists.flat()));
      expect(merged.complete).toBe(true);
    }),
  );
});

test('a merge stops where a reader had to stop, and not before', async () => {
  const merged = await walk(
    mergeSteps([readerOf(['b', 'd'], { complete: false }), readerOf(['a', 'c', 'e'])], false),
  );
  expect(merged.steps.map(({ key }) => key)).toEqual(['a', 'b', 'c', 'd']);
  expect(merged.complete).toBe(false);
});

test('an item goes before the end of a query at the same key', async () => {
  for (const order of [
    [readerOf(['a'], { perQuery: 1 }), readerOf(['a'])],
    [readerOf(['a']), readerOf(['a'], { perQuery: 1 })],
  ]) {
    const merged = await walk(mergeSteps(order, false));
    expect(merged.steps[0]?.item).toBeDefined();
  }
});

test('ranges that follow each other are read in turn, up to where one had to stop', async () => {
  const part = (end: string, keys: string[], options = {}) => ({
    steps: readerOf(keys, options),
    end,
  });
  const all = await walk(concatSteps([part('b', ['a', 'b']), part('x', []), part('z', ['c'])]));
  expect(all.steps.map(({ key }) => key)).toEqual(['a', 'b', 'c']);
  expect(all.complete).toBe(true);
  const cut = await walk(concatSteps([part('b', ['a'], { complete: false }), part('z', ['c'])]));
  expect([cut.steps.length, cut.complete]).toEqual([1, false]);
});

test('where a range stops before its first step, the end of the one before is where to go on', async () => {
  const stopped = { steps: readerOf([], { complete: false }), end: 'z' };
  const parts = [{ steps: readerOf(['a']), end: 'b' }, { steps: readerOf([]), end: 'm' }, stopped];
  const cut = await walk(concatSteps(parts));
  expect([cut.steps.map(({ key }) => key), cut.complete]).toEqual([['a', 'm'], false]);
});
