// Packet lengths, however the bytes are cut into reads.
import fc from 'fast-check';
import { generate } from 'mqtt-packet';
import { expect, test } from 'vitest';
import { FrameGuard } from '../../../../infra/local/broker/frame-guard.ts';

const connect = generate({ cmd: 'connect', clientId: 'x', keepalive: 0, clean: true });
const publish = (size: number) =>
  generate({
    cmd: 'publish',
    topic: 'a',
    payload: Buffer.alloc(size - 3, 0xff),
    qos: 0,
    retain: false,
    dup: false,
  });

function faultOf(bytes: Buffer, cuts: readonly number[]): string | undefined {
  const guard = new FrameGuard(1000);
  const ends = [...cuts.map((cut) => cut % bytes.length), bytes.length].sort((a, b) => a - b);
  let from = 0;
  for (const end of ends) {
    const fault = guard.fault(bytes.subarray(from, end));
    if (fault !== undefined) return fault;
    from = end;
  }
  return undefined;
}

test('packets up to the limit pass, the first above it does not, wherever the reads are cut', () => {
  const sizes = fc.array(fc.integer({ min: 3, max: 1000 }), { maxLength: 5 });
  const cuts = fc.array(fc.nat(), { maxLength: 20 });
  fc.assert(
    fc.property(sizes, cuts, (all, at) => {
      const fine = Buffer.concat([connect, ...all.map(publish)]);
      expect(faultOf(fine, at)).toBeUndefined();
      const tooLarge = Buffer.concat([fine, publish(1001)]);
      expect(faultOf(tooLarge, at)).toBe('a packet of 1001 bytes, over 1000');
    }),
  );
});

test.each([
  ['300d', 'the first packet must be CONNECT'],
  ['110d', 'the first packet must be CONNECT'],
  ['10ffffffff7f', 'the remaining length has more than four bytes'],
  ['10ffffff7f', 'a packet of 268435455 bytes, over 1000'],
])('%s: %s', (hex, fault) => {
  expect(new FrameGuard(1000).fault(Buffer.from(hex, 'hex'))).toBe(fault);
});
