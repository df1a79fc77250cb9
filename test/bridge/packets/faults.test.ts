// Packets that are no PUBLISH: what a library writes passes, and each rule is kept.

import { type Packet as Generated, generate } from 'mqtt-packet';
import { expect, test } from 'vitest';
import { faultOf } from '../../../bridge/packets/faults.ts';
import { Framer } from '../../../bridge/packets/framer.ts';
import { fc } from '../../support/property.ts';
import { int16, packet, pair, properties, text } from './wire.ts';

function faultIn(bytes: Buffer, protocolVersion: 4 | 5 = 5) {
  const framer = new Framer();
  framer.push(bytes);
  const step = framer.next();
  if (step?.kind !== 'packet') throw new Error(`no packet but ${step?.kind}`);
  return faultOf(step, protocolVersion);
}

const messageId = fc.integer({ min: 1, max: 65_535 });
const string = fc.string({ maxLength: 20 });
// Of none mqtt-packet 9.0.2 makes no packet.
const userProperties = fc.dictionary(fc.string({ minLength: 1 }), string, { minKeys: 1 });
const explained = fc.record({ reasonString: string, userProperties });

test('MQTT 5: what a broker may send passes', () => {
  const packets: fc.Arbitrary<Generated> = fc.oneof(
    fc
      .record({
        receiveMaximum: fc.integer({ min: 1, max: 65_535 }),
        serverKeepAlive: fc.nat({ max: 65_535 }),
        maximumPacketSize: fc.integer({ min: 1, max: 0xffff_ffff }),
        topicAliasMaximum: fc.nat({ max: 65_535 }),
        assignedClientIdentifier: string,
        reasonString: string,
        userProperties,
      })
      .map(
        (given): Generated => ({
          cmd: 'connack',
          sessionPresent: false,
          reasonCode: 0,
          properties: given,
        }),
      ),
    fc
      .record({
        cmd: fc.constantFrom('puback' as const, 'pubrec' as const),
        messageId,
        reasonCode: fc.constantFrom(0, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99),
        properties: explained,
      })
      .map((given): Generated => given),
    fc
      .record({
        messageId,
        properties: explained,
        granted: fc.array(fc.constantFrom(0, 1, 2, 0x80, 0x87, 0x9e, 0xa2), { minLength: 1 }),
      })
      .map((given): Generated => ({ cmd: 'suback', ...given })),
    fc
      .record({
        messageId,
        properties: explained,
        granted: fc.array(fc.constantFrom(0, 0x11, 0x87), { minLength: 1 }),
      })
      .map((given): Generated => ({ cmd: 'unsuback', ...given })),
    fc
      .record({
        reasonCode: fc.constantFrom(0, 0x81, 0x8b, 0x8e, 0x9c, 0xa2),
        properties: explained,
      })
      .map((given): Generated => ({ cmd: 'disconnect', ...given })),
  );
  fc.assert(
    fc.property(packets, (given) => {
      expect(faultIn(generate(given, { protocolVersion: 5 }))).toBeUndefined();
    }),
  );
});

test.each<[string, Buffer]>([
  ['CONNACK', packet(0x20, Buffer.from([1, 0]))],
  ['a CONNACK that refuses', packet(0x20, Buffer.from([0, 5]))],
  ['PUBACK', packet(0x40, int16(1))],
  ['PUBREL', packet(0x62, int16(1))],
  ['SUBACK', packet(0x90, int16(1), Buffer.from([0, 1, 2, 0x80]))],
  ['UNSUBACK', packet(0xb0, int16(1))],
  ['PINGRESP', packet(0xd0)],
])('MQTT 3.1.1: %s passes', (_, bytes) => {
  expect(faultIn(bytes, 4)).toBeUndefined();
});

test.each<[string, Buffer]>([
  ['a CONNACK of MQTT 3.1.1 to MQTT 5', packet(0x20, Buffer.from([0, 1]))],
  ['a PUBACK without a code', packet(0x40, int16(1))],
  ['a PUBACK with a code alone', packet(0x40, int16(1), Buffer.from([0x10]))],
  ['a DISCONNECT without a code', packet(0xe0)],
  ['a DISCONNECT with a code alone', packet(0xe0, Buffer.from([0x8b]))],
])('MQTT 5: %s passes', (_, bytes) => {
  expect(faultIn(bytes)).toBeUndefined();
});

const nothing = properties();

test.each<[string, 4 | 5, Buffer, number]>([
  ['CONNACK with reserved flags', 5, packet(0x20, Buffer.from([2, 0]), nothing), 0x81],
  ['CONNACK of one byte', 4, packet(0x20, Buffer.from([0])), 0x81],
  [
    'CONNACK with a property of PUBLISH',
    5,
    packet(0x20, Buffer.from([0, 0]), properties([3, text('a')])),
    0x81,
  ],
  [
    'CONNACK with a property twice',
    5,
    packet(0x20, Buffer.from([0, 0]), properties([33, int16(1)], [33, int16(2)])),
    0x82,
  ],
  [
    'CONNACK with bytes after its properties',
    5,
    packet(0x20, Buffer.from([0, 0]), nothing, int16(1)),
    0x81,
  ],
  ['PUBACK with a code of others', 5, packet(0x40, int16(1), Buffer.from([0x92])), 0x81],
  ['PUBACK of three bytes', 4, packet(0x40, int16(1), Buffer.from([0])), 0x81],
  ['PUBCOMP of one byte', 5, packet(0x70, Buffer.from([0])), 0x81],
  ['SUBACK without a code', 5, packet(0x90, int16(1), nothing), 0x81],
  ['SUBACK 0x03', 4, packet(0x90, int16(1), Buffer.from([3])), 0x81],
  ['SUBACK 0xff', 5, packet(0x90, int16(1), nothing, Buffer.from([0xff])), 0x81],
  [
    'SUBACK with a broken pair',
    5,
    packet(0x90, int16(1), properties([38, text('a')]), Buffer.from([1])),
    0x81,
  ],
  ['UNSUBACK with a code', 4, packet(0xb0, int16(1), Buffer.from([0])), 0x81],
  ['PINGRESP of one byte', 5, packet(0xd0, Buffer.from([0])), 0x81],
  ['DISCONNECT', 4, packet(0xe0), 0x82],
  ['DISCONNECT with a code that does not exist', 5, packet(0xe0, Buffer.from([0x7f])), 0x81],
  [
    'AUTH that was not asked for',
    5,
    packet(0xf0, Buffer.from([0x18]), properties(pair('a', 'b'))),
    0x82,
  ],
])('%s is refused (version %d)', (_, protocolVersion, bytes, code) => {
  expect(faultIn(bytes, protocolVersion)).toMatchObject({ code });
});
