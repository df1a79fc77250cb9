import { describe, expect, test } from 'vitest';
import {
  bucketOf,
  bucketsOf,
  maxLevel,
  segmentIdOf,
  segmentKey,
  segmentSortKey,
  sequences,
  stampKey,
} from '../../../functions/segments/segment-key.ts';
import { fc } from '../../support/property.ts';

const segmentId = fc.record({
  level: fc.integer({ min: 0, max: maxLevel }),
  stampMs: fc.integer({ min: 0, max: 4_000_000_000_000 }),
  writer: fc.stringMatching(/^[0-9a-z]{6}$/),
  sequence: fc.integer({ min: 0, max: sequences - 1 }),
});

describe('the key of a segment', () => {
  test('names it, wherever it is found', () => {
    fc.assert(
      fc.property(segmentId, fc.string({ unit: 'grapheme' }), (id, topic) => {
        expect(segmentIdOf(segmentKey(id, topic))).toEqual(id);
      }),
    );
  });

  test('sorts by stamp', () => {
    fc.assert(
      fc.property(segmentId, segmentId, (a, b) => {
        const [x, y] = [segmentSortKey(a), segmentSortKey(b)];
        if (a.stampMs < b.stampMs) expect(x < stampKey(b.stampMs) && x < y).toBe(true);
      }),
    );
  });

  test('of something else is an error', () => {
    expect(() => segmentIdOf({ pk: { S: 'm/a' }, sk: { S: '2026#1' } })).toThrow('no segment');
  });
});

describe('buckets', () => {
  test('of the levels are parts of each other, and never change', () => {
    // Written into keys: another result would hide what is stored.
    expect(['', 'a', 'rooms/kitchen', 'räume/küche'].map((topic) => bucketOf(topic, 4))).toEqual([
      0, 250, 168, 37,
    ]);
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (topic) => {
        for (let level = 1; level <= maxLevel; level++)
          expect(Math.floor(bucketOf(topic, level) / 4)).toBe(bucketOf(topic, level - 1));
      }),
    );
  });

  test('share topics that count up about evenly', () => {
    const counts = Array.from({ length: bucketsOf(2) }, () => 0);
    for (let device = 0; device < 1600; device++) {
      const bucket = bucketOf(`site/north/sensor-${device}/reading`, 2);
      counts[bucket] = (counts[bucket] ?? 0) + 1;
    }
    expect(Math.min(...counts)).toBeGreaterThan(50);
    expect(Math.max(...counts)).toBeLessThan(200);
  });
});
