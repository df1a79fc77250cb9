// The framer: the same packets come out wherever the chunks end, and what is too large is known before it is buffered.

import { type Packet as Generated, generate } from 'mqtt-packet';
import { expect, test } from 'vitest';
import { type Admission, Framer, type Step } from '../../../bridge/packets/framer.ts';
import { fc } from '../../support/property.ts';
import { publish } from './wire.ts';

/** What comes of chunks; parts of one packet are joined. */
function cut(chunks: readonly Buffer[], admit: () => Admission = () => 'buffer'): Step[] {
  const framer = new Framer();
  framer.admit = admit;
  const steps: Step[] = [];
  for (const chunk of chunks) {
    framer.push(chunk);
    for (let step = framer.next(); step !== undefined; step = framer.next()) {
      steps.push(step);
      if (step.kind === 'broken') return steps;
    }
  }
  return steps;
}

const hex = (bytes: Buffer) => bytes.toString('hex');
/** The bytes of a packet; of anything else what it is. */
const bytesOf = (step: Step) =>
  step.kind === 'packet' ? hex(step.bytes.subarray(step.start, step.end)) : step.kind;

const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
const packetId = fc.integer({ min: 1, max: 65_535 });
const packets: fc.Arbitrary<Generated> = fc.oneof(
  fc
    .record({
      topic: fc.string({ minLength: 1 }),
      payload: bytes,
      messageId: packetId,
      qos: fc.constantFrom(0 as const, 1 as const, 2 as const),
      dup: fc.boolean(),
      retain: fc.boolean(),
    })
    .map((fields): Generated => ({ cmd: 'publish', ...fields })),
  packetId.map((messageId): Generated => ({ cmd: 'puback', messageId })),
  packetId.map((messageId): Generated => ({ cmd: 'pubrel', messageId })),
  packetId.map((messageId): Generated => ({ cmd: 'suback', messageId, granted: [1] })),
  fc.constant<Generated>({ cmd: 'pingresp' }),
  fc.constant<Generated>({ cmd: 'connack', returnCode: 0, reasonCode: 0, sessionPresent: true }),
);

test.each([4, 5])('version %d: the packets of any stream, cut anywhere', (protocolVersion) => {
  fc.assert(
    fc.property(
      fc.array(packets, { maxLength: 20 }),
      fc.array(fc.nat({ max: 400 }), { maxLength: 40 }),
      (list, lengths) => {
        const written = list.map((packet) => generate(packet, { protocolVersion }));
        const stream = Buffer.concat(written);
        const chunks: Buffer[] = [];
        let at = 0;
        for (const length of lengths) {
          chunks.push(stream.subarray(at, at + length));
          at += length;
        }
        chunks.push(stream.subarray(at));
        expect(cut(chunks).map(bytesOf)).toEqual(written.map(hex));
      },
    ),
  );
});

test('cut at every byte, and every byte by itself', () => {
  const written = [publish(1, 'a/b', 'x'.repeat(200)), Buffer.from([0xd0, 0]), publish(2, '', '')];
  const stream = Buffer.concat(written);
  for (let at = 0; at <= stream.length; at++)
    expect(cut([stream.subarray(0, at), stream.subarray(at)]).map(bytesOf)).toEqual(
      written.map(hex),
    );
  expect(cut([...stream].map((byte) => Buffer.from([byte]))).map(bytesOf)).toEqual(
    written.map(hex),
  );
});

test('what lies in one chunk is not copied', () => {
  const chunk = Buffer.concat([publish(1, 'a', 'x'), publish(2, 'b', 'y')]);
  expect(cut([chunk]).map((step) => step.kind === 'packet' && step.bytes === chunk)).toEqual([
    true,
    true,
  ]);
});

test.each([
  ['PINGRESP with a reserved bit', [0xd2, 0x00], 0x81],
  ['PUBREL without its flags', [0x60, 0x02, 0, 1], 0x81],
  ['a packet of clients only', [0x82, 0x00], 0x82],
  ['the type that is forbidden', [0x00, 0x00], 0x82],
  ['a length of five bytes', [0x30, 0x80, 0x80, 0x80, 0x80, 0x01], 0x81],
  ['SUBACK of 2 MB', [0x90, 0x80, 0x80, 0x80, 0x01], 0x95],
])('%s breaks it for good, wherever it is cut', (_, bad, code) => {
  const good = publish(1, 'a', 'x');
  const stream = Buffer.concat([good, Buffer.from(bad), good]);
  for (let at = 0; at <= good.length + bad.length; at++) {
    const steps = cut([stream.subarray(0, at), stream.subarray(at)]);
    expect(steps.map(({ kind }) => kind)).toEqual(['packet', 'broken']);
    expect(steps[1]).toMatchObject({ fault: { code } });
  }
});

test('a declared length is told before anything is buffered; it waits as long as it is told to', () => {
  const framer = new Framer();
  const asked: number[] = [];
  let answer: Admission = 'wait';
  framer.admit = (packetBytes) => {
    asked.push(packetBytes);
    return answer;
  };
  framer.push(Buffer.from([0x32, 0xff, 0xff, 0xff, 0x7f, 0x00]));
  expect([framer.next(), framer.next(), asked]).toEqual([
    { kind: 'waiting' },
    { kind: 'waiting' },
    [268_435_460, 268_435_460],
  ]);
  expect(framer.heldBytes).toBe(5);
  answer = 'stream';
  expect(framer.next()).toEqual({
    kind: 'streamed',
    flags: 2,
    packetBytes: 268_435_460,
    bodyBytes: 268_435_455,
  });
  expect(framer.next()).toEqual({ kind: 'part', bytes: Buffer.from([0]), isLast: false });
  expect(framer.next()).toBeUndefined();
  expect(framer.heldBytes).toBe(0);
});

test('what is streamed comes in parts, and the next packet after it', () => {
  const large = publish(7, 'large', 'z'.repeat(5000));
  const stream = Buffer.concat([large, publish(8, 'next', 'y')]);
  for (let at = 4; at < large.length; at += 97) {
    const steps = cut([stream.subarray(0, at), stream.subarray(at)], () => 'stream');
    const [first, ...rest] = steps;
    const last = rest.pop();
    expect(first).toMatchObject({ kind: 'streamed', packetBytes: large.length });
    const parts = rest.map((step) => (step.kind === 'part' ? step.bytes : Buffer.alloc(0)));
    expect(hex(Buffer.concat(parts))).toBe(hex(large.subarray(3)));
    expect(last && bytesOf(last)).toBe(hex(publish(8, 'next', 'y')));
  }
});
