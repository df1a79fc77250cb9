import { describe, expect, test } from 'vitest';
import {
  callsOf,
  distinctOf,
  type Entry,
  planOf,
} from '../../../../functions/ingest/storing/plan.ts';
import { maxItemBytes } from '../../../../functions/table/chunks.ts';
import { message } from '../../../support/messages.ts';
import { fc } from '../../../support/property.ts';

function plan(...parts: Parameters<typeof message>[0][]) {
  const { messages, refused } = distinctOf(parts.map((one) => message(one)));
  const planned = planOf(messages, () => ({ expiresAtSeconds: 99 }));
  return { ...planned, refused: [...refused, ...planned.refused] };
}

const pairs = (count: number, bytes: number) =>
  Array.from({ length: count }, (_, index) => [`name-${index}`, 'v'.repeat(bytes)] as const);

describe('a payload', () => {
  test.each([
    ['of 256 KB', 256 * 1024, 1, 0],
    ['of 256 KB and a byte', 256 * 1024 + 1, 1, 1],
    ['of 399 KB', 399 * 1024, 2, 1],
    ['of 401 KB', 401 * 1024, 2, 1],
    ['of 6 MB', 6 * 1024 * 1024, 18, 1],
  ])('%s is planned in items that DynamoDB takes', (_, length, entries, heads) => {
    const planned = plan({ payload: Buffer.alloc(length, 'x') });
    expect([planned.entries.length, planned.heads.length]).toEqual([entries, heads]);
    expect(planned.refused).toEqual([]);
    for (const { item, bytes } of [...planned.entries, ...planned.heads]) {
      expect(bytes).toBeLessThanOrEqual(maxItemBytes);
      expect(item['expiresAt']).toEqual({ N: '99' });
    }
  });

  test('of 200 KB is stored in chunks where the properties need the room', () => {
    const payload = Buffer.alloc(200 * 1024);
    const planned = plan({ payload, properties: { userProperties: pairs(4, 60_000) } });
    expect([planned.entries.length, planned.heads.length]).toEqual([1, 1]);
  });
});

test('properties that no item can hold are refused for good', () => {
  const planned = plan({ id: 'huge', properties: { userProperties: pairs(7, 60_000) } });
  expect(planned).toEqual({
    entries: [],
    heads: [],
    refused: [{ itemIdentifier: 'huge', reason: expect.any(String), retryable: false }],
  });
});

describe('one id twice in a batch', () => {
  const time = '2026-01-01T00:00:00.000000Z';
  const first = { id: 'same', time, text: '1' };

  test('with all else the same is one item', () => {
    const planned = plan(first, first);
    expect([planned.entries.length, planned.refused.length]).toEqual([1, 0]);
  });

  test.each([
    ['payload', { text: '2' }],
    ['properties', { properties: { contentType: 'text/plain' } }],
    ['source', { source: 'mqtt://broker/causeway-store-1' }],
  ])('with another %s under the same key is refused, both of them', (_, other) => {
    const planned = plan(first, { ...first, ...other }, { text: 'bystander' });
    expect(planned.entries).toHaveLength(1);
    expect(planned.refused).toMatchObject([{ itemIdentifier: 'same', retryable: false }]);
  });

  test.each([
    ['topic', { topic: 'rooms/hall' }],
    ['time', { time: '2026-01-01T00:00:00.000001Z' }],
  ])('with another %s is two items', (_, other) => {
    const planned = plan(first, { ...first, ...other });
    expect([planned.entries.length, planned.refused.length]).toEqual([2, 0]);
  });
});

test('calls stay within 25 puts and 16 MB of JSON, keep the order and lose nothing', () => {
  const entry = fc
    .integer({ min: 100, max: maxItemBytes })
    .map((bytes): Entry => ({ item: {}, bytes, id: 'x' }));
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 120 }), (entries) => {
      const calls = callsOf(entries);
      expect(calls.flat()).toEqual(entries);
      for (const call of calls) {
        expect(call.length).toBeGreaterThan(0);
        expect(call.length).toBeLessThanOrEqual(25);
        const jsonBytes = 6 * call.reduce((sum, { bytes }) => sum + bytes, 0);
        expect(jsonBytes).toBeLessThan(16 * 1024 * 1024);
      }
    }),
  );
});
