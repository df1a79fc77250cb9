import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createReceiptClock, messageId } from '../../bridge/identity.ts';

test('times of receipt strictly increase, also when the clock stands still or is set back', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 2, maxLength: 50 }),
      (steps) => {
        let ms = 1_800_000_000_000;
        const clock = createReceiptClock(() => ms);
        const times = steps.map((step) => {
          ms += step;
          return clock();
        });
        for (const [index, time] of times.entries()) {
          expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
          const next = times[index + 1];
          if (next !== undefined) expect(next > time).toBe(true);
        }
      },
    ),
  );
  const stopped = createReceiptClock(() => 1_800_000_000_000);
  const many = Array.from({ length: 2500 }, stopped);
  expect(many).toEqual([...new Set(many)].sort());
});

test('the producer’s id is kept where it can be one', () => {
  expect(messageId([['id', 'mine']])).toBe('mine');
  const minted = /^[0-9a-f]{8}-[0-9a-f]{4}-7/;
  for (const pairs of [
    undefined,
    [],
    [['id', '']],
    [['id', 'x'.repeat(300)]],
    [['ID', 'mine']],
  ] as const) {
    expect(messageId(pairs as Parameters<typeof messageId>[0])).toMatch(minted);
  }
});
