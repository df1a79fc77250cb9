// Packet lengths, however the bytes are cut into reads, and what has come of packets that are not whole.
import { once } from 'node:events';
import { generate } from 'mqtt-packet';
import { expect, test } from 'vitest';
import { PartialReads } from '../../../bridge/base/partial-reads.ts';
import { Frames, isFault } from '../../../infra/broker/packets/frames.ts';
import { fc } from '../../support/property.ts';
import { until } from '../../support/wait.ts';
import { connectPacket, open } from './raw-client.ts';
import { connect as connectClient, start } from './started.ts';

const connect = generate({ cmd: 'connect', clientId: 'x', keepalive: 0, clean: true });
/** A packet of so many bytes altogether. */
const publish = (size: number) =>
  generate({
    cmd: 'publish',
    topic: 'a',
    payload: Buffer.alloc(size - (size < 130 ? 5 : 6), 0xff),
    qos: 0,
    retain: false,
    dup: false,
  });

/** What a stream is cut into: the sizes of its packets, and the rule that the next one breaks. */
function cut(bytes: Buffer, cuts: readonly number[]): (number | string)[] {
  const frames = new Frames(1000);
  const ends = [...cuts.map((at) => at % bytes.length), bytes.length].sort((a, b) => a - b);
  const found: (number | string)[] = [];
  let from = 0;
  for (const end of ends) {
    frames.push(bytes.subarray(from, end));
    from = end;
    for (let next = frames.next(); next !== undefined; next = frames.next()) {
      if (isFault(next)) return [...found, next.rule];
      found.push(next.bytes.length);
    }
  }
  return found;
}

test('packets up to the limit pass, the first above it does not, wherever the reads are cut', () => {
  const sizes = fc.array(
    fc.integer({ min: 6, max: 1000 }).filter((size) => size !== 130),
    { maxLength: 5 },
  );
  const cuts = fc.array(fc.nat(), { maxLength: 20 });
  fc.assert(
    fc.property(sizes, cuts, (all, at) => {
      const fine = Buffer.concat([connect, ...all.map(publish)]);
      const whole = [connect.length, ...all];
      expect(cut(fine, at)).toEqual(whole);
      const tooLarge = Buffer.concat([fine, publish(1001)]);
      expect(cut(tooLarge, at)).toEqual([
        ...whole,
        'a packet of 1001 bytes, over 1000 [MQTT-3.2.2-15]',
      ]);
    }),
  );
});

test.each([
  ['30', 'the first packet must be CONNECT [MQTT-3.1.0-1]'],
  ['100f', undefined],
  ['10ffffffff7f', 'the remaining length has more than four bytes'],
  ['10ffffff7f', 'a packet of 268435460 bytes, over 1000 [MQTT-3.2.2-15]'],
  ['108100', 'the remaining length has more bytes than it needs [MQTT-1.5.5-1]'],
])('%s: %s', (hex, fault) => {
  expect(cut(Buffer.from(hex, 'hex'), [])).toEqual(fault === undefined ? [] : [fault]);
});

test('of packets that are not whole, those that began first are closed when all are too much', () => {
  const partial = new PartialReads(100);
  const closed: string[] = [];
  const [a, b, c] = ['a', 'b', 'c'].map((name) => () => {
    closed.push(name);
  });
  if (a === undefined || b === undefined || c === undefined) throw new Error('three');
  partial.note(a, 40);
  partial.note(b, 40);
  // The packet is whole, and another has begun.
  partial.note(a, 10);
  partial.note(c, 50);
  expect(closed).toEqual([]);
  partial.note(a, 20);
  expect(closed).toEqual(['b']);
  partial.note(b, 0);
  partial.note(c, 90);
  expect(closed).toEqual(['b', 'a']);
  partial.note(c, 101);
  expect(closed).toEqual(['b', 'a', 'c']);
  partial.note(a, 100);
  expect(closed).toHaveLength(3);
});

test('clients that send their packets never whole share one memory, and others are served', async () => {
  const limits = { maxPacketBytes: 65_536, maxPartialPacketsBytes: 200_000 };
  const broker = await start({ limits });
  const bystander = await connectClient(broker);
  let closed = 0;
  const sockets = ['a', 'b', 'c', 'd'].map((name) => {
    const socket = open(broker);
    socket.once('close', () => closed++);
    socket.write(connectPacket(name));
    return socket;
  });
  // PUBLISH of 65,000 bytes, of which the last 1,000 do not come.
  const begin = Buffer.concat([Buffer.from('30e8fb03000161', 'hex'), Buffer.alloc(63_997)]);
  for (const socket of sockets) {
    await once(socket, 'data');
    socket.write(begin);
  }
  await until(() => closed === 1);
  expect(broker.counters.packetsTooSlow).toBe(1);
  await bystander.publishAsync('a', 'still here?', { qos: 1 });
  for (const socket of sockets) if (!socket.destroyed) socket.write(Buffer.alloc(1000));
  await until(() => broker.counters.messagesReceived === 4);
  expect(broker.clients).toBe(4);
});
