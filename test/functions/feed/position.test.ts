// How far a reader has come, over writers whose clocks differ: nothing is seen twice, and nothing is passed over.
import { expect, test } from 'vitest';
import { entryKey, type FeedEntry } from '../../../functions/feed/feed-entry.ts';
import {
  behind,
  cursorOf,
  hasSeen,
  isWithin,
  movedTo,
  positionAt,
  positionOf,
  stragglerMs,
} from '../../../functions/feed/position.ts';
import { fc } from '../../support/property.ts';

const startMs = Date.parse('2026-01-31T12:00:00Z');

const entryOf = (writer: string, afterMs: number, sequence = 0): FeedEntry => ({
  writer,
  key: entryKey(startMs + afterMs, sequence),
  stampMs: startMs + afterMs,
  parts: [],
});

/** Writers that write in the order of their own clocks, read in any interleaving. */
const entries = fc
  .array(
    fc.record({
      writer: fc.constantFrom('aaaaaa', 'bbbbbb', 'cccccc'),
      stepMs: fc.integer({ min: 0, max: 60_000 }),
    }),
    { maxLength: 40 },
  )
  .map((steps) => {
    let nowMs = 0;
    return steps.map(({ writer, stepMs }, index) => {
      nowMs += stepMs;
      const skewMs = writer === 'aaaaaa' ? 0 : writer === 'bbbbbb' ? 5000 : -5000;
      return entryOf(writer, nowMs + skewMs + 10_000, index);
    });
  });

test('what was given is seen, what comes later is not, and a cursor says the same', () => {
  fc.assert(
    fc.property(entries, fc.nat(40), (all, taken) => {
      const given = all.slice(0, taken);
      let position = positionAt(startMs);
      for (const entry of given) position = behind(position, entry);
      const again = positionOf(cursorOf(position));
      expect(again).toEqual(position);
      for (const entry of given) expect(hasSeen(position, entry)).toBe(true);
      for (const entry of all.slice(taken)) expect(hasSeen(position, entry)).toBe(false);
    }),
  );
});

test('what time alone has passed is seen, and what was written shortly before is not', () => {
  const position = behind(positionAt(startMs), entryOf('aaaaaa', 1000));
  const later = movedTo(position, startMs + 100_000);
  expect(hasSeen(later, entryOf('bbbbbb', 100_000 - stragglerMs))).toBe(true);
  expect(hasSeen(later, entryOf('bbbbbb', 100_001 - stragglerMs))).toBe(false);
  expect(movedTo(later, startMs)).toEqual(later);
  expect([isWithin(position, later), isWithin(later, position)]).toEqual([true, false]);
});

test('a part of an entry is in the cursor', () => {
  const { writer, key } = entryOf('aaaaaa', 1);
  const position = { ...positionAt(startMs), partly: { writer, key, given: 99_999 } };
  expect(positionOf(cursorOf(position))).toEqual(position);
});

test.each(['', 'x', '0'.repeat(8), `${'0'.repeat(9)}a`, `${'0'.repeat(9)}.`, `${'0'.repeat(8)}A`])(
  '%j is no cursor',
  (text) => {
    expect(positionOf(text)).toBeUndefined();
  },
);
