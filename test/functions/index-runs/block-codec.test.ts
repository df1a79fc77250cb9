import { expect, test } from 'vitest';
import { decodeBlock, encodeBlock } from '../../../functions/index-runs/block-codec.ts';
import { compareReferences, referenceTo } from '../../../functions/index-runs/reference.ts';
import { MalformedBytes } from '../../../functions/segments/bytes.ts';
import { legalTopic } from '../../support/messages.ts';
import { fc } from '../../support/property.ts';

const anyMs = fc.integer({ min: 0, max: 9_000_000_000_000 });

const anyReference = fc
  .record({
    topic: fc.oneof(legalTopic, fc.constantFrom('a', 'a/b', 'a/c')),
    stampMs: anyMs,
    writer: fc.constantFrom('abcdef', '000000', 'zzzzzz'),
    sequence: fc.integer({ min: 0, max: 46_655 }),
    level: fc.integer({ min: 0, max: 4 }),
    count: fc.integer({ min: 1, max: 100_000 }),
    retentionDays: fc.integer({ min: 1, max: 3650 }),
    times: fc.tuple(anyMs, anyMs),
  })
  .map(({ topic, count, retentionDays, times, ...id }) =>
    referenceTo(id, { topic, count, retentionDays }, Math.min(...times), Math.max(...times)),
  );

test('references come back as they were', () => {
  fc.assert(
    fc.property(fc.array(anyReference, { minLength: 1, maxLength: 60 }), (given) => {
      const sorted = given.toSorted(compareReferences);
      expect(decodeBlock(encodeBlock(sorted))).toEqual(sorted);
    }),
  );
});

test('times are rounded outwards, by 32 ms at most', () => {
  fc.assert(
    fc.property(anyMs, fc.tuple(anyMs, anyMs), (stampMs, times) => {
      const [first, last] = times.toSorted((a, b) => a - b) as [number, number];
      const id = { level: 0, stampMs, writer: 'abcdef', sequence: 0 };
      const { firstMs, lastMs } = referenceTo(
        id,
        { topic: 'a', count: 1, retentionDays: 1 },
        first,
        last,
      );
      expect(lastMs - last).toBeGreaterThanOrEqual(0);
      expect(first - firstMs).toBeGreaterThanOrEqual(0);
      expect(lastMs - last + first - firstMs).toBeLessThan(32);
    }),
  );
});

test('bytes that are no block are told as such', () => {
  const whole = encodeBlock([
    referenceTo(
      { level: 1, stampMs: 1_800_000_000_000, writer: 'abcdef', sequence: 1 },
      { topic: 'rooms/kitchen', count: 3, retentionDays: 30 },
      1_799_999_999_000,
      1_799_999_999_500,
    ),
  ]);
  for (let length = 0; length < whole.length; length++)
    expect(() => decodeBlock(whole.subarray(0, length))).toThrow(MalformedBytes);
  expect(() => decodeBlock(Buffer.concat([Buffer.of(9), whole.subarray(1)]))).toThrow(
    MalformedBytes,
  );
});

test('a topic of one message in a segment takes under seven bytes', () => {
  const references = Array.from({ length: 500 }, (_, index) => {
    const stampMs = 1_800_000_000_000 + ((index * 7919) % 30_000);
    const topic = `site-7/line-${index % 9}/sensor-${String(10_000 + index)}/telemetry`;
    const id = { level: 1, stampMs, writer: 'abcdef', sequence: (index * 31) % 1000 };
    const lastMs = stampMs - ((index * 37) % 1000);
    return referenceTo(id, { topic, count: 1, retentionDays: 30 }, lastMs, lastMs);
  }).toSorted(compareReferences);
  expect(encodeBlock(references).length / references.length).toBeLessThan(7);
});
