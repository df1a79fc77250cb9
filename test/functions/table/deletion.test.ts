import { expect, test } from 'vitest';
import { type Deletion, Deletions, joinedWith } from '../../../functions/table/deletion.ts';
import { fc } from '../../support/property.ts';

const topic = 'lamp';
const at = (second: number) => `2026-11-29T12:00:${String(second).padStart(2, '0')}.000000Z`;
const stretch = (from: number | undefined, to: number): Deletion => ({
  topic,
  ...(from !== undefined && { from: at(from) }),
  to: at(to),
});

test.each([
  ['what overlaps', stretch(10, 20), [stretch(15, 30)], stretch(10, 30), 1],
  ['what touches', stretch(10, 20), [stretch(20, 30), stretch(5, 10)], stretch(5, 30), 2],
  ['what it lies within', stretch(10, 20), [stretch(undefined, 30)], stretch(undefined, 30), 1],
  [
    'all before it',
    stretch(undefined, 20),
    [stretch(1, 2), stretch(4, 9)],
    stretch(undefined, 20),
    2,
  ],
  ['nothing apart from it', stretch(10, 20), [stretch(21, 30), stretch(1, 9)], stretch(10, 20), 0],
])('a deletion is one with %s', (_, one, others, joined, replaced) => {
  const result = joinedWith(one, others);
  expect(result.joined).toEqual(joined);
  expect(result.replaced).toHaveLength(replaced);
});

test('what was deleted by several is by the one for all, and nothing else', () => {
  const second = fc.integer({ min: 0, max: 29 });
  const one = fc
    .tuple(fc.option(second, { nil: undefined }), fc.integer({ min: 1, max: 29 }))
    .map(([from, length]) => stretch(from, (from ?? 0) + length));
  fc.assert(
    fc.property(fc.array(one, { maxLength: 6 }), one, (others, deletion) => {
      const { joined, replaced } = joinedWith(deletion, others);
      const before = new Deletions([...others, deletion]);
      const after = new Deletions([...others.filter((other) => !replaced.includes(other)), joined]);
      for (let moment = 0; moment < 60; moment++)
        expect(after.has(topic, at(moment))).toBe(before.has(topic, at(moment)));
    }),
  );
});
