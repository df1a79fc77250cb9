import { randomBytes } from 'node:crypto';
import { crc32, deflateRawSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { Message } from '../../../functions/contract/message.ts';
import {
  isPackable,
  maxPackableBytes,
  unpackedBytes,
} from '../../../functions/segments/packable.ts';
import { receiptTimeText } from '../../../functions/segments/receipt-time.ts';
import {
  decodeSegment,
  encodeSegment,
  maxUnpackedBytes,
  segmentHead,
} from '../../../functions/segments/segment-codec.ts';
import { anyMessage, message } from '../../support/messages.ts';
import { fc } from '../../support/property.ts';

const microseconds = fc.tuple(
  fc.integer({ min: Date.parse('0000-01-01'), max: Date.parse('9999-12-31') }),
  fc.integer({ min: 0, max: 999 }),
);

/** Messages with what a segment has columns for: few and many topics and sources, ids that count up, any time. */
const awkwardMessage: fc.Arbitrary<Message> = fc
  .tuple(
    anyMessage,
    fc.record(
      {
        topic: fc.constantFrom('a', 'a/b', 'a/b/😀', 'a/b/😁', '/'),
        source: fc.constantFrom('mqtt://a/b', 'mqtt://a/😀', 'x'),
        id: fc.oneof(
          fc.nat().map((count) => `run-${count}`),
          fc.constantFrom('😀', '😁', '😀1', '00', '0', '9007199254740993'),
        ),
        time: microseconds.map(
          ([ms, us]) => `${new Date(ms).toISOString().slice(0, -1)}${String(us).padStart(3, '0')}Z`,
        ),
      },
      { requiredKeys: [] },
    ),
  )
  .map(([{ receivedAfter: _, ...whole }, parts]) => ({ ...whole, ...parts }));

const awkwardMessages = fc.array(awkwardMessage, { minLength: 1, maxLength: 30 });

/** Buffers compare by their bytes, whatever they are views of. */
function comparable(messages: readonly Message[]): unknown[] {
  return messages.map(({ payload, properties, ...rest }) => ({
    ...rest,
    payload: Buffer.from(payload).toString('base64'),
    properties: properties && {
      ...properties,
      correlationData:
        properties.correlationData && Buffer.from(properties.correlationData).toString('base64'),
    },
  }));
}

/** A segment with a checksum that fits, whatever its bytes are. */
function checked(bytes: Buffer): Buffer {
  bytes.writeUInt32LE(crc32(bytes.subarray(5)), 1);
  return bytes;
}

describe('a segment', () => {
  test('gives back any messages as they were, in their order', () => {
    fc.assert(
      fc.property(awkwardMessages, fc.integer({ min: 1, max: 3650 }), (messages, retentionDays) => {
        const packable = messages.filter(isPackable);
        const decoded = decodeSegment(encodeSegment({ retentionDays, messages: packable }));
        if (!decoded.ok) throw new Error(decoded.fault);
        expect(decoded.value.retentionDays).toBe(retentionDays);
        expect(comparable(decoded.value.messages)).toEqual(comparable(packable));
      }),
      { numRuns: 300 },
    );
  });

  test('has a head that says what its messages say', () => {
    fc.assert(
      fc.property(awkwardMessages, (messages) => {
        const head = segmentHead(encodeSegment({ retentionDays: 30, messages }));
        if (!head.ok) throw new Error(head.fault);
        const topics = new Set(messages.map(({ topic }) => topic));
        expect(head.value.topics).toHaveLength(topics.size);
        for (const { topic, count, first, last } of head.value.topics) {
          const times = messages.filter((m) => m.topic === topic).map(({ time }) => time);
          expect([count, receiptTimeText(first), receiptTimeText(last)]).toEqual([
            times.length,
            times.toSorted()[0],
            times.toSorted().at(-1),
          ]);
        }
      }),
    );
  });

  test('is never taken for another when it is cut or changed', () => {
    fc.assert(
      fc.property(
        awkwardMessages,
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (messages, at, change) => {
          const bytes = encodeSegment({ retentionDays: 30, messages });
          const place = at % bytes.byteLength;
          const cut = bytes.subarray(0, place);
          const changed = Buffer.from(bytes);
          changed[place] = (changed[place] as number) ^ change;
          for (const other of [cut, changed])
            for (const read of [decodeSegment, segmentHead])
              expect(read(other)).toMatchObject({ ok: false });
        },
      ),
    );
  });

  test('of any bytes is a fault, even where the checksum fits', () => {
    const part = fc.uint8Array({ maxLength: 60 }).map((bytes) => deflateRawSync(bytes));
    fc.assert(
      fc.property(part, part, part, (head, columns, payloads) => {
        const [headLength, columnsLength] = [head, columns].map((one) =>
          Buffer.of(one.byteLength),
        ) as [Buffer, Buffer];
        const start = Buffer.from([1, 0, 0, 0, 0]);
        const bytes = checked(
          Buffer.concat([start, headLength, head, columnsLength, columns, payloads]),
        );
        const decoded = decodeSegment(bytes);
        if (decoded.ok) expect(decoded.value.messages.length).toBeLessThan(60);
        else expect(decoded.fault).toBe('damaged');
      }),
      { numRuns: 1000 },
    );
  });

  test('of a version to come is told from a damaged one', () => {
    const bytes = encodeSegment({ retentionDays: 30, messages: [message()] });
    bytes[0] = 2;
    expect(decodeSegment(bytes)).toEqual({ ok: false, fault: 'unknown version' });
  });

  test('inflates to a bound and no further', () => {
    const bomb = deflateRawSync(Buffer.alloc(64 * 1024 * 1024));
    const length = Buffer.from([
      (bomb.byteLength & 127) | 128,
      ((bomb.byteLength >> 7) & 127) | 128,
      bomb.byteLength >> 14,
    ]);
    const bytes = checked(Buffer.concat([Buffer.from([1, 0, 0, 0, 0]), length, bomb]));
    expect(decodeSegment(bytes)).toEqual({ ok: false, fault: 'damaged' });
  });

  test('of as much as it may hold comes back', () => {
    const one = message({ payload: Buffer.alloc(maxPackableBytes - 500) });
    const messages = Array.from({ length: 3 }, (_, index) => ({ ...one, id: `id-${index}` }));
    expect(messages.every(isPackable)).toBe(true);
    expect(messages.reduce((sum, m) => sum + unpackedBytes(m), 0)).toBeLessThan(maxUnpackedBytes);
    const decoded = decodeSegment(encodeSegment({ retentionDays: 30, messages }));
    expect(decoded.ok && comparable(decoded.value.messages)).toEqual(comparable(messages));
  });
});

describe('what is not packed', () => {
  test.each([
    ['a payload above 32 KB', { payload: randomBytes(maxPackableBytes) }],
    ['a topic too long for a key', { topic: 'a'.repeat(1001) }],
    ['a day that there is not', { time: '2026-02-30T00:00:00.000000Z' }],
    ['the 24th hour', { time: '2026-02-20T24:00:00.000000Z' }],
    ['what came after the clock was set back', { receivedAfter: '2026-01-01T00:00:00.000000Z' }],
    ['half a character', { id: '\ud83d' }],
    ['half a character in a property', { properties: { contentType: '\ud83d' } }],
    ['properties above 32 KB', { properties: { contentType: 'x'.repeat(maxPackableBytes) } }],
  ])('%s', (_, parts) => {
    expect(isPackable(message(parts))).toBe(false);
  });

  test('never takes more bytes than it is counted for', () => {
    fc.assert(
      fc.property(awkwardMessage, (one) => {
        const bytes = encodeSegment({ retentionDays: 30, messages: [one] }).byteLength;
        expect(bytes).toBeLessThan(unpackedBytes(one) + 64);
      }),
    );
  });
});
