// PUBLISH from bytes: what mqtt-packet reads of a valid one, but with user properties as they stand on the wire; and
// what is wrong with an invalid one, never by an exception.

import { generate, type IPublishPacket, parser } from 'mqtt-packet';
import { expect, test } from 'vitest';
import { Framer } from '../../../bridge/packets/framer.ts';
import { readPublish } from '../../../bridge/packets/publish.ts';
import { fc } from '../../support/property.ts';
import { int16, int32, packet, pair, properties, publish, text, varint } from './wire.ts';

function read(bytes: Buffer, protocolVersion: 4 | 5 = 5) {
  const framer = new Framer();
  framer.push(bytes);
  const step = framer.next();
  if (step?.kind !== 'packet') throw new Error(`no packet but ${step?.kind}`);
  return readPublish(step, protocolVersion);
}

function readByLibrary(bytes: Buffer, protocolVersion: 4 | 5): IPublishPacket {
  let found: IPublishPacket | undefined;
  const library = parser({ protocolVersion });
  library.on('packet', (one) => {
    if (one.cmd === 'publish') found = one;
  });
  library.parse(bytes);
  if (found === undefined) throw new Error('mqtt-packet reads nothing');
  return found;
}

const string = fc.string({ unit: 'binary', maxLength: 30 });
const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
const fields = fc.record({
  topic: string.filter((topic) => topic !== ''),
  payload: bytes,
  messageId: fc.integer({ min: 1, max: 65_535 }),
  qos: fc.constantFrom(0 as const, 1 as const, 2 as const),
  dup: fc.boolean(),
  retain: fc.boolean(),
});

test.each([4, 5] as const)('version %d: as mqtt-packet reads it', (protocolVersion) => {
  const given = fc.record(
    {
      contentType: string,
      responseTopic: string.map((topic) => `r/${topic.replaceAll(/[+#\0]/g, '')}`),
      correlationData: bytes,
      messageExpiryInterval: fc.nat(),
      payloadFormatIndicator: fc.boolean(),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fields, given, (publishFields, publishProperties) => {
      const written = generate(
        {
          cmd: 'publish',
          ...publishFields,
          // A QoS 0 PUBLISH is never sent again [MQTT-3.3.1-2].
          dup: publishFields.dup && publishFields.qos > 0,
          ...(protocolVersion === 5 && { properties: publishProperties }),
        },
        { protocolVersion },
      );
      const library = readByLibrary(written, protocolVersion);
      const { messageExpiryInterval, payloadFormatIndicator, ...same } = library.properties ?? {};
      const expected = {
        ...same,
        ...(messageExpiryInterval !== undefined && { messageExpirySeconds: messageExpiryInterval }),
        ...(payloadFormatIndicator !== undefined && {
          payloadFormat: payloadFormatIndicator ? 1 : 0,
        }),
      };
      expect(read(written, protocolVersion)).toEqual({
        topic: library.topic,
        qos: library.qos,
        dup: library.dup,
        retain: library.retain,
        packetId: library.messageId ?? 0,
        payload: library.payload,
        properties: Object.keys(expected).length === 0 ? undefined : expected,
        fault: undefined,
      });
    }),
  );
});

test('user properties keep their order and repeats, and any name', () => {
  const pairs: [string, string][] = [
    ['tag', ''],
    ['tag', 'red'],
    ['trace', '1'],
    ['10', 'ten'],
    ['2', 'two'],
    ['__proto__', 'x'],
    ['tag', ''],
  ];
  const bytesOf = properties([1, Buffer.from([1])], ...pairs.map(([a, b]) => pair(a, b)));
  expect(read(publish(1, 'a', 'x', { properties: bytesOf }))).toMatchObject({
    properties: { userProperties: pairs, payloadFormat: 1 },
  });
  fc.assert(
    fc.property(fc.array(fc.tuple(string, string), { minLength: 1 }), (list) => {
      const given = properties(...list.map(([name, value]) => pair(name, value)));
      expect(read(publish(1, 'a', 'x', { properties: given }))).toMatchObject({
        properties: { userProperties: list },
        fault: undefined,
      });
    }),
  );
});

test('U+FFFD is a character like any other; bytes that are no UTF-8 are a fault that can be read', () => {
  expect(read(publish(1, 'a\ufffd', 'x'))).toMatchObject({ topic: 'a\ufffd', fault: undefined });
  const broken = Buffer.from([0x61, 0xff]);
  expect(read(publish(1, broken, 'x'))).toMatchObject({
    topic: 'a\ufffd',
    packetId: 1,
    fault: expect.stringMatching(/topic .*MQTT-1\.5\.4-1/),
  });
  const given = properties([3, text(broken)], pair('fine', 'fine'));
  expect(read(publish(1, 'a', 'x', { properties: given }))).toMatchObject({
    properties: { contentType: 'a\ufffd', userProperties: [['fine', 'fine']] },
    fault: expect.stringContaining('content type'),
  });
});

const malformed = 0x81;
const protocolError = 0x82;

test.each<[string, Buffer, number]>([
  ['QoS 3', publish(1, 'a', 'x', { first: 0x36 }), malformed],
  ['no topic', packet(0x32), malformed],
  ['a topic beyond its end', packet(0x32, int16(9), Buffer.from('a')), malformed],
  ['no packet id', packet(0x32, text('a')), malformed],
  ['packet id 0', publish(0, 'a', 'x'), protocolError],
  ['no properties', packet(0x32, text('a'), int16(1)), malformed],
  ['properties beyond its end', packet(0x32, text('a'), int16(1), varint(9)), malformed],
  [
    'a length of properties of five bytes',
    packet(0x32, text('a'), int16(1), Buffer.from([0x80, 0x80, 0x80, 0x80, 1])),
    malformed,
  ],
  [
    'an unknown property',
    publish(1, 'a', 'x', { properties: properties([99, int16(1)]) }),
    malformed,
  ],
  [
    'a property of CONNACK',
    publish(1, 'a', 'x', { properties: properties([33, int16(1)]) }),
    malformed,
  ],
  [
    'a property beyond their end',
    publish(1, 'a', 'x', { properties: properties([9, int16(300)]) }),
    malformed,
  ],
  ['half a pair', publish(1, 'a', 'x', { properties: properties([38, text('a')]) }), malformed],
  [
    'correlation data twice',
    publish(1, 'a', 'x', { properties: properties([9, text('1')], [9, text('2')]) }),
    protocolError,
  ],
  [
    'an expiry of 0 twice',
    publish(1, 'a', 'x', { properties: properties([2, int32(0)], [2, int32(0)]) }),
    protocolError,
  ],
  [
    'a topic alias, and none was allowed',
    publish(1, 'a', 'x', { properties: properties([35, int16(1)]) }),
    protocolError,
  ],
])('%s is refused', (_, written, code) => {
  expect(read(written)).toMatchObject({ malformed: { code }, bytes: written });
});

test('what can be read of a refused one is: its topic and packet id', () => {
  const written = publish(513, 'a/b', 'x', { properties: properties([99, int16(1)]), first: 0x35 });
  expect(read(written)).toMatchObject({ topic: 'a/b', packetId: 513, qos: 2, retain: true });
});

test('subscription identifiers may repeat, and say nothing', () => {
  const given = properties([11, varint(1)], [11, varint(300)]);
  expect(read(publish(1, 'a', 'x', { properties: given }))).toMatchObject({
    properties: undefined,
    payload: Buffer.from('x'),
  });
});

test('no bytes make it throw', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(4 as const, 5 as const),
      fc.nat({ max: 15 }),
      bytes,
      (version, flags, body) => {
        read(packet(0x30 | flags, body), version);
      },
    ),
  );
});
