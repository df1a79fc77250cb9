// Bytes and packet sequences that nobody wrote, drawn from seeds: the server lives on and serves the others as before.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fc } from '../support/property.ts';
import { RawClient } from './client.ts';
import {
  type AcknowledgementType,
  acknowledgement,
  authPacket,
  connectPacket,
  disconnectPacket,
  pingreq,
  publishPacket,
  subscribePacket,
  unsubscribePacket,
  type Version,
} from './client-packets.ts';
import { type Server, startServer } from './servers.ts';

let server: Server;
/** Who must not be touched. */
let other: RawClient;

beforeAll(async () => {
  server = await startServer();
  other = await RawClient.open(5, server.port);
  other.send(connectPacket(5, { clientId: 'other' }));
  await other.next('connack');
  other.send(subscribePacket(5, 1, [{ filter: 'other', options: 1 }]));
  await other.next('suback');
}, 60_000);
afterAll(() => server?.close());

const version = fc.constantFrom<Version>(3, 4, 5);
const id = fc.integer({ min: 0, max: 5 });
const topic = fc.constantFrom('a', 'a/b', '', '+', '$x', 'a\0');
const filter = fc.constantFrom('a', 'a/#', '+', '', '$share/g/a', '$share//a', 'a#');
const payload = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes));
const flag = fc.boolean();

/** A packet of a client, right or nearly so. */
const packetOf = (level: Version) =>
  fc.oneof(
    fc
      .record({
        topic,
        payload,
        qos: fc.integer({ min: 0, max: 3 }),
        retain: flag,
        dup: flag,
        packetId: id,
      })
      .map((fields) => publishPacket(level, fields)),
    fc
      .tuple(fc.constantFrom<AcknowledgementType>('puback', 'pubrec', 'pubrel', 'pubcomp'), id)
      .map(([type, packetId]) => acknowledgement(type, packetId)),
    fc
      .tuple(id, filter, fc.integer({ min: 0, max: 255 }))
      .map(([packetId, name, options]) =>
        subscribePacket(level, packetId, [
          { filter: name, options: options % 3 === 0 ? 1 : options },
        ]),
      ),
    fc.tuple(id, filter).map(([packetId, name]) => unsubscribePacket(level, packetId, [name])),
    fc.constantFrom(pingreq, disconnectPacket(), authPacket(0x19), connectPacket(level)),
  );

/** Some of its bytes changed, cut off or added. */
const bent = (packet: fc.Arbitrary<Buffer>) =>
  fc
    .tuple(packet, fc.nat(), fc.integer({ min: 0, max: 255 }), fc.integer({ min: 0, max: 9 }))
    .map(([bytes, place, value, how]) => {
      if (how > 3 || bytes.length === 0) return bytes;
      if (how === 0) return bytes.subarray(0, place % bytes.length);
      if (how === 1) return Buffer.concat([bytes, Buffer.from([value])]);
      const changed = Buffer.from(bytes);
      changed[place % bytes.length] = value;
      return changed;
    });

/** Sends all of it on a connection of its own, and leaves when the server has looked at it. */
async function suffers(chunks: readonly Buffer[]): Promise<void> {
  const client = await RawClient.open(5, server.port);
  for (const chunk of chunks) client.send(chunk);
  // Either it is closed, or what was sent is a part of a packet that the server waits for.
  await otherIsServed();
  client.drop();
}

let served = 0;
async function otherIsServed(): Promise<void> {
  const text = String(++served);
  other.send(publishPacket(5, { topic: 'other', payload: text, qos: 1, packetId: 9 }));
  const packet = await other.next('publish');
  expect(packet.payload).toBe(text);
  other.send(acknowledgement('puback', packet.packetId ?? 0));
  await other.next('puback');
  expect(other.left).toEqual([]);
}

test('any bytes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(payload, { maxLength: 6 }), (chunks) => suffers(chunks)),
    { numRuns: 150 },
  );
}, 120_000);

test('any bytes behind a CONNECT', async () => {
  await fc.assert(
    fc.asyncProperty(version, fc.array(payload, { maxLength: 6 }), (level, chunks) =>
      suffers([connectPacket(level, { clientId: 'fuzz' }), ...chunks]),
    ),
    { numRuns: 150 },
  );
}, 120_000);

test('sequences of packets, right and bent', async () => {
  const sequence = version.chain((level) =>
    fc.tuple(
      fc.boolean().map((clean) => connectPacket(level, { clientId: 'fuzz', clean })),
      fc.array(bent(packetOf(level)), { maxLength: 25 }),
    ),
  );
  await fc.assert(
    fc.asyncProperty(sequence, ([first, rest]) => suffers([first, ...rest])),
    { numRuns: 300 },
  );
}, 240_000);
