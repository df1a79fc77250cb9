import { expect, test } from 'vitest';
import { correctionOf } from '../../../functions/table/table-clock.ts';

const date = Date.parse('2026-01-01T00:00:00Z');

test.each([
  ['right', date + 300, date + 900, 0],
  ['right, and the answer took long', date - 30_000, date + 900, 0],
  ['a little ahead', date + 1900, date + 1950, 0],
  ['10 s ahead', date + 10_000, date + 10_050, -10_000],
  ['10 s behind', date - 10_050, date - 10_000, 10_000],
])('a clock that is %s', (_, sentMs, receivedMs, correctionMs) => {
  expect(correctionOf(date, sentMs, receivedMs)).toBe(correctionMs);
});
