import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeCursor, encodeCursor } from '../../../functions/api/cursor.ts';

test('a cursor gives its key back, to its own list only', () => {
  fc.assert(
    fc.property(
      fc.string({ minLength: 1, unit: 'grapheme' }),
      fc.string(),
      fc.string(),
      (key, list, other) => {
        const cursor = encodeCursor(list, key);
        expect(decodeCursor(list, cursor)).toBe(key);
        if (other !== list) expect(decodeCursor(other, cursor)).toBeUndefined();
      },
    ),
  );
});

test('anything else is no cursor', () => {
  const cursor = encodeCursor('list', 'key');
  for (const text of ['', 'abc', `${cursor}=`, cursor.slice(1), `${cursor}A`, '💥']) {
    expect(decodeCursor('list', text)).toBeUndefined();
  }
});
