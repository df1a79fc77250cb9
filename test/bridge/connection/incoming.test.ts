// Between socket and MQTT.js: who gets what, how reading stops, and a PUBLISH that is too large to be held.
import { once } from 'node:events';
import { Duplex, Writable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { beforeEach, expect, test } from 'vitest';
import { Incoming } from '../../../bridge/connection/incoming.ts';
import type { Admission } from '../../../bridge/packets/framer.ts';
import type { StreamedHead } from '../../../bridge/packets/streamed-publish.ts';
import { fc } from '../../support/property.ts';
import { int16, packet, pair, properties, publish, text } from '../packets/wire.ts';

const connack = packet(0x20, Buffer.from([0, 0]), properties());

let socket: Duplex;
let incoming: Incoming;
/** What was written to the broker, and to MQTT.js. */
let written: string[];
let passed: string[];
let published: string[];
let faults: string[];

beforeEach(setUp);

function setUp(): void {
  written = [];
  passed = [];
  published = [];
  faults = [];
  socket = new Duplex({
    read() {},
    write(chunk: Buffer, _, done) {
      written.push(chunk.toString('hex'));
      done();
    },
  });
  incoming = new Incoming(5);
  incoming.onFault = (reason) => faults.push(reason);
  incoming.receiver = { onPublish: ({ payload }) => published.push(payload.toString()) };
  incoming.intercept(socket);
  socket.pipe(
    new Writable({
      write(chunk: Buffer, _, done) {
        passed.push(chunk.toString('hex'));
        done();
      },
    }),
  );
}

async function comes(...chunks: Buffer[]): Promise<void> {
  for (const chunk of chunks) {
    socket.push(chunk);
    await turn();
  }
}

test('PUBLISHes to the receiver, all else to MQTT.js', async () => {
  const suback = packet(0x90, int16(1), properties(), Buffer.from([1]));
  await comes(Buffer.concat([connack, publish(1, 'a', 'x'), suback, publish(2, 'a', 'y')]));
  expect(published).toEqual(['x', 'y']);
  expect(passed).toEqual([connack.toString('hex'), suback.toString('hex')]);
});

test('stopped, it hands out nothing and its clock stands; it goes on within the same chunk', async () => {
  incoming.receiver = {
    onPublish: ({ payload }) => {
      published.push(payload.toString());
      incoming.stop();
    },
  };
  await comes(Buffer.concat([connack, publish(1, 'a', 'x'), publish(2, 'a', 'y')]));
  await comes(publish(3, 'a', 'z'));
  expect([published, incoming.isReading]).toEqual([['x'], false]);
  const before = incoming.readingMs;
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(incoming.readingMs).toBe(before);
  incoming.goOn();
  expect(published).toEqual(['x', 'y']);
  incoming.goOn();
  await turn();
  expect(published).toEqual(['x', 'y', 'z']);
});

test('what is malformed is said in DISCONNECT, and nothing is read any more', async () => {
  await comes(Buffer.concat([connack, publish(0, 'a', 'x'), publish(1, 'a', 'y')]));
  await comes(publish(2, 'a', 'z'));
  expect([published, written]).toEqual([[], ['e00182']]);
  expect(faults).toEqual([expect.stringContaining('packet id 0')]);
  incoming.acknowledge({ qos: 1, packetId: 1 });
  expect(written).toHaveLength(1);
});

test.each([
  ['TLS', Buffer.from([0x15, 0x03, 0x03, 0, 2, 2, 70])],
  ['HTTP', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
])('%s in place of MQTT is named', async (name, bytes) => {
  await comes(bytes);
  expect(faults).toEqual([expect.stringContaining(`speaks ${name}`)]);
});

test('anything before CONNACK is refused', async () => {
  await comes(publish(1, 'a', 'x'));
  expect([published, faults]).toEqual([[], ['PUBLISH before CONNACK [MQTT-3.2.0-1]']]);
});

function streaming(admit: () => Admission = () => 'stream') {
  const streams: { head: StreamedHead; payload: AsyncIterable<Buffer> }[] = [];
  incoming.receiver = {
    onPublish: ({ payload }) => published.push(payload.toString()),
    admit,
    onStreamed: (head, payload) => streams.push({ head, payload }),
  };
  return streams;
}

const large = publish(7, 'large', 'z'.repeat(1000), { properties: properties(pair('a', 'b')) });

test('a PUBLISH in parts: its head, then each chunk when it is asked for, then what follows it', async () => {
  const streams = streaming();
  await comes(connack, large.subarray(0, 5), large.subarray(5, 300), large.subarray(300, 600));
  await comes(Buffer.concat([large.subarray(600), publish(8, 'a', 'next')]));
  const [streamed] = streams;
  expect(streamed?.head).toMatchObject({
    payloadBytes: 1000,
    publish: { topic: 'large', packetId: 7, properties: { userProperties: [['a', 'b']] } },
  });
  expect([incoming.isReading, published]).toEqual([false, []]);
  const chunks: Buffer[] = [];
  for await (const chunk of streamed?.payload ?? []) chunks.push(chunk);
  expect(Buffer.concat(chunks).toString()).toBe('z'.repeat(1000));
  expect(chunks.length).toBeGreaterThan(1);
  expect(published).toEqual(['next']);
});

test('given up, the rest of it is read and dropped', async () => {
  const streams = streaming();
  await comes(connack, large.subarray(0, 300), large.subarray(300, 600));
  for await (const _ of streams[0]?.payload ?? []) break;
  await comes(Buffer.concat([large.subarray(600), publish(8, 'a', 'next')]));
  await turn();
  expect(published).toEqual(['next']);
});

test('broken off, reading it rejects', async () => {
  const streams = streaming();
  await comes(connack, large.subarray(0, 300));
  const reading = (async () => {
    for await (const _ of streams[0]?.payload ?? []);
  })();
  await turn();
  socket.destroy();
  await expect(reading).rejects.toThrow('the connection ended');
});

test('one whose head is malformed comes with all its bytes and the reason', async () => {
  const streams = streaming();
  const bad = packet(0x32, text('a'), int16(3), properties([99, int16(1)]), Buffer.alloc(500));
  await comes(connack, bad.subarray(0, 300), bad.subarray(300));
  const chunks: Buffer[] = [];
  for await (const chunk of streams[0]?.payload ?? []) chunks.push(chunk);
  expect(streams[0]?.head.publish).toMatchObject({
    topic: 'a',
    packetId: 3,
    fault: expect.stringContaining('unknown property'),
  });
  expect(Buffer.concat(chunks).toString('hex')).toBe(bad.subarray(3).toString('hex'));
});

test('one that has to wait is not read before it may come in', async () => {
  let admission: Admission = 'wait';
  streaming(() => admission);
  await comes(connack, large.subarray(0, 300), large.subarray(300));
  expect([incoming.isReading, published]).toEqual([false, []]);
  incoming.goOn();
  await turn();
  expect(published).toEqual([]);
  admission = 'buffer';
  incoming.goOn();
  await turn();
  await turn();
  expect(published).toEqual(['z'.repeat(1000)]);
});

test('it ends without a word for a reason of its own', async () => {
  await comes(connack);
  const closed = once(socket, 'close');
  incoming.end('the lease is lost');
  await closed;
  expect([faults, written]).toEqual([['the lease is lost'], []]);
});

test('no bytes make it throw; it says at most once what is wrong, and nothing follows', async () => {
  const good = Buffer.concat([connack, publish(1, 'a', 'x'), large, packet(0x40, int16(1))]);
  const flips = fc.array(fc.tuple(fc.nat({ max: good.length - 1 }), fc.nat({ max: 255 })));
  await fc.assert(
    fc.asyncProperty(flips, fc.nat({ max: good.length }), async (changes, cut) => {
      setUp();
      streaming(() => (cut % 2 === 0 ? 'buffer' : 'stream'));
      const bytes = Buffer.from(good);
      for (const [at, value] of changes) bytes[at] = value;
      await comes(bytes.subarray(0, cut), bytes.subarray(cut));
      const said = [faults.length, published.length];
      await comes(publish(9, 'a', 'later'));
      expect(faults.length).toBeLessThanOrEqual(1);
      if (said[0] === 1) expect([faults.length, published.length]).toEqual(said);
    }),
  );
});
