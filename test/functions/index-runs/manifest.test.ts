import { describe, expect, test } from 'vitest';
import {
  type Manifest,
  manifestItem,
  manifestOf,
  noManifest,
  runsToMerge,
  withMerged,
  withoutExpired,
  withRun,
} from '../../../functions/index-runs/manifest.ts';
import { mergedReferences } from '../../../functions/index-runs/merge.ts';
import {
  compareReferences,
  type Reference,
  referenceTo,
  segmentName,
} from '../../../functions/index-runs/reference.ts';
import type { Run } from '../../../functions/index-runs/run.ts';
import { fc } from '../../support/property.ts';

const run = (id: string, level = 0, parts: Partial<Run> = {}): Run => ({
  id,
  level,
  firstMs: 1,
  lastMs: 2,
  spanMs: 1,
  references: 10,
  expiresAtSeconds: 100,
  ...parts,
});
const ids = (runs: readonly Run[]) => runs.map(({ id }) => id).join(' ');
const manifest = (...runs: Run[]): Manifest => ({ version: 7, untilMs: 1000, runs });

test('a manifest comes back as it was; there is one before the first', () => {
  const given = manifest(run('a'), run('b', 3, { firstMs: -5 }));
  expect(manifestOf(manifestItem(given))).toEqual(given);
  expect(manifestOf(undefined)).toEqual(noManifest);
});

describe('runs that are merged', () => {
  test.each([
    ['none while there are few', ['a0', 'b0'], ''],
    ['the oldest of a level', ['a0', 'b0', 'c0', 'd0'], 'a0 b0 c0'],
    ['those of the lowest level first', ['a1', 'b1', 'c1', 'd0', 'e0', 'f0'], 'd0 e0 f0'],
    ['upper levels, too', ['a1', 'b1', 'c1', 'd0'], 'a1 b1 c1'],
  ])('%s', (_, names, expected) => {
    const runs = names.map((name) => run(name, Number(name.at(-1))));
    expect(ids(runsToMerge(manifest(...runs), 3))).toBe(expected);
  });

  test('only of the levels that are asked for, and none that are too large', () => {
    const runs = ['a', 'b', 'c'].map((id) => run(id, 1));
    expect(runsToMerge(manifest(...runs), 3, (level) => level > 1)).toEqual([]);
    const large = ['a', 'b', 'c'].map((id) => run(id, 1, { references: 400_000_000 }));
    expect(runsToMerge(manifest(...large), 3)).toEqual([]);
  });

  test('give way to the new one, where it was, unless they are gone', () => {
    const before = manifest(run('a', 1), run('b'), run('c'), run('d'));
    const merged = withMerged(before, [run('b'), run('c')], run('new', 1));
    expect(merged).toMatchObject({ version: 8, untilMs: 1000 });
    expect(ids(merged?.runs ?? [])).toBe('a new d');
    expect(ids(withMerged(before, [run('b'), run('c')], undefined)?.runs ?? [])).toBe('a d');
    expect(withMerged(before, [run('b'), run('x')], run('new', 1))).toBeUndefined();
  });
});

test('a run comes behind those before it, and goes when all of it has expired', () => {
  const next = withRun(manifest(run('a')), 2000, run('b', 0, { expiresAtSeconds: 200 }));
  expect(next).toMatchObject({ version: 8, untilMs: 2000 });
  expect(ids(withoutExpired(next, 99_999).runs)).toBe('a b');
  expect(ids(withoutExpired(next, 100_000).runs)).toBe('b');
});

test('sorted sources become one, each segment of a topic once', async () => {
  const anyReference = fc
    .record({
      topic: fc.constantFrom('a', 'b', 'b\u{ffee}', 'b\u{1f4a5}'),
      stampMs: fc.integer({ min: 0, max: 60 }),
      sequence: fc.integer({ min: 0, max: 2 }),
    })
    .map(({ topic, stampMs, sequence }) => {
      const id = { level: 0, stampMs, writer: 'writer', sequence };
      return referenceTo(id, { topic, count: 1, retentionDays: 1 }, stampMs, stampMs);
    });
  const name = (one: Reference) => `${one.topic} ${segmentName(one.id)}`;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(anyReference), { maxLength: 8 }), async (given) => {
      const sources = given.map((list) => list.toSorted(compareReferences));
      const merged: Reference[] = [];
      const asIterable = async function* (list: Reference[]) {
        yield* list;
      };
      for await (const one of mergedReferences(sources.map(asIterable))) merged.push(one);
      expect(merged).toEqual(merged.toSorted(compareReferences));
      expect(merged.map(name).toSorted()).toEqual([...new Set(given.flat().map(name))].toSorted());
    }),
  );
});
