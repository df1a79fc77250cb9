// Packets that no broker should send, from a broker of bytes that sends again what is not acknowledged: nothing is
// lost, nothing is read from within another packet, and one message closes no route for ever.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Packet } from 'mqtt-packet';
import { expect, test } from 'vitest';
import { decodeKeptEnvelope } from '../../../functions/contract/envelope-decoding.ts';
import { until } from '../../support/wait.ts';
import type { RawBroker } from '../connection/raw-broker.ts';
import { int16, packet, pair, properties, publish, text } from '../packets/wire.ts';
import { setUp } from './raw-bridge.ts';

async function deadLettersIn(folder: string) {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.json'));
  return Promise.all(
    names.map(async (name) => {
      const { reason, envelope } = JSON.parse(await readFile(join(folder, name), 'utf8'));
      return { reason, message: decodeKeptEnvelope(JSON.stringify(envelope)) };
    }),
  );
}

const commandsOf = (packets: readonly Packet[] | undefined) => packets?.map(({ cmd }) => cmd);
const disconnectOf = ({ connections }: RawBroker, index: number) =>
  connections[index]?.find(({ cmd }) => cmd === 'disconnect');

const good = [1, 2, 3].map((id) => publish(id, `a/${id}`, `good ${id}`));
const unknownProperty = properties([99, int16(1)]);

test('PINGRESP with a reserved bit before three messages: the connection ends at once, and they come again', async () => {
  const { broker, reasons, stored } = await setUp(
    {
      deliver: (socket, queued, connection) =>
        socket.write(
          Buffer.concat([connection === 0 ? Buffer.from([0xd2, 0]) : Buffer.alloc(0), ...queued]),
        ),
    },
    good,
  );
  await until(() => broker.unacknowledged.size === 0);
  expect(stored()).toEqual(['good 1', 'good 2', 'good 3']);
  expect(disconnectOf(broker, 0)).toMatchObject({ reasonCode: 0x81 });
  expect(reasons).toEqual([expect.stringMatching(/PINGRESP .*MQTT-2\.1\.3-1/)]);
  expect(broker.connections).toHaveLength(2);
});

test('an unknown property: the third time the packet is kept as its bytes, and what is around it is stored once', async () => {
  const bad = publish(2, 'a/bad', 'x', { properties: unknownProperty });
  const queue = [publish(1, 'a/1', 'before'), bad, publish(3, 'a/3', 'after')];
  const { broker, folder, reasons, stored } = await setUp({}, queue);
  await until(() => broker.unacknowledged.size === 0);
  expect(stored()).toEqual(['before', 'after']);
  expect(broker.connections).toHaveLength(3);
  expect([0, 1].map((index) => disconnectOf(broker, index))).toMatchObject([
    { reasonCode: 0x81 },
    { reasonCode: 0x81 },
  ]);
  expect(reasons).toEqual(Array(2).fill(expect.stringContaining('unknown property (0x63)')));
  const letters = await deadLettersIn(folder);
  expect(letters).toMatchObject([
    { reason: expect.stringContaining('unknown property'), message: { topic: 'a/bad' } },
  ]);
  expect(Buffer.from(letters[0]?.message.payload ?? []).toString('hex')).toBe(bad.toString('hex'));
});

test('a payload across segments is no packet, whatever is wrong before it', async () => {
  const inner = publish(9, 'door/cmd', 'unlock');
  const bad = publish(1, 'a', Buffer.concat([Buffer.alloc(100), inner]), {
    properties: unknownProperty,
  });
  const cut = bad.length - inner.length;
  const { broker, folder, stored } = await setUp(
    {
      deliver(socket, queued) {
        const [first = Buffer.alloc(0), ...rest] = queued;
        socket.write(first.subarray(0, cut));
        setTimeout(() => socket.write(Buffer.concat([first.subarray(cut), ...rest])), 50);
      },
    },
    [bad, publish(2, 'a', 'good')],
  );
  await until(() => broker.unacknowledged.size === 0);
  expect(stored()).toEqual(['good']);
  expect(await deadLettersIn(folder)).toHaveLength(1);
});

test('a property twice is a protocol error, and ends no process', async () => {
  const twice = properties([9, text('1')], [9, text('2')]);
  const { broker, folder, stored } = await setUp({}, [
    publish(1, 'a', 'x', { properties: twice }),
    publish(2, 'a', 'good'),
  ]);
  await until(() => broker.unacknowledged.size === 0);
  expect(disconnectOf(broker, 0)).toMatchObject({ reasonCode: 0x82 });
  expect(stored()).toEqual(['good']);
  expect(await deadLettersIn(folder)).toMatchObject([{ reason: expect.stringContaining('twice') }]);
});

test.each([
  [4 as const, 'with 0x03', 0x03],
  [5 as const, 'with 0xff', 0xff],
])('MQTT version %d: a SUBACK %s does not exist', async (protocolVersion, _, code) => {
  const rest = protocolVersion === 5 ? properties() : Buffer.alloc(0);
  const subackOf = (packetId: number, byte: number) =>
    packet(0x90, int16(packetId), rest, Buffer.from([byte]));
  const { broker, bridge, reasons, stored } = await setUp(
    {
      protocolVersion,
      suback: (packetId, attempt) => subackOf(packetId, attempt === 1 ? code : 1),
      deliver: (socket, queued, connection) =>
        connection === 0 ? false : socket.write(Buffer.concat(queued)),
    },
    [publish(1, 'a', 'good', { properties: rest })],
  );
  await until(() => broker.unacknowledged.size === 0);
  expect(stored()).toEqual(['good']);
  expect(reasons).toEqual([expect.stringMatching(/^SUBACK with the code 0x(03|ff)/)]);
  // MQTT 3.1.1 has no way to say why.
  expect(disconnectOf(broker, 0)?.cmd).toBe(protocolVersion === 5 ? 'disconnect' : undefined);
  expect(bridge.status().ready).toBe(true);
});

test('a SUBACK that never comes ends the connection', async () => {
  const granted = (packetId: number) =>
    packet(0x90, int16(packetId), properties(), Buffer.from([1]));
  const { broker, bridge, reasons } = await setUp({
    suback: (packetId, attempt) => (attempt === 1 ? undefined : granted(packetId)),
  });
  await until(() => bridge.status().ready);
  expect(reasons).toEqual(['the broker has not answered SUBSCRIBE in 300 ms']);
  expect(broker.connections).toHaveLength(2);
});

test('its clock stands still while nothing is read: a full window before the SUBACK is no silence', async () => {
  // The handler is away, the window is full, and the SUBACK is behind it.
  const { broker, handler, bridge, stored } = await setUp({
    connectTimeoutMs: 1000,
    suback: (packetId) =>
      Buffer.concat([
        ...Array.from({ length: 5000 }, (_, index) => publish(index + 1, `t/${index % 50}`, 'x')),
        packet(0x90, int16(packetId), properties(), Buffer.from([1])),
      ]),
    deliver: () => {},
  });
  for (let id = 1; id <= 5000; id++) broker.unacknowledged.set(id, Buffer.alloc(0));
  handler.answer = (_, response) => {
    response.statusCode = 503;
    response.end();
  };
  await until(() => handler.requests.length > 0);
  await delay(2500);
  expect([broker.connections.length, bridge.status().ready]).toEqual([1, false]);
  handler.answer = (_, response) => void response.end();
  await until(() => broker.unacknowledged.size === 0);
  expect([broker.connections.length, stored().length]).toEqual([1, 5000]);
});

test('U+FFFD in a topic, and user properties as the device sent them', async () => {
  const pairs: [string, string][] = [
    ['tag', ''],
    ['tag', 'red'],
    ['trace', '1'],
    ['10', 'ten'],
    ['2', 'two'],
  ];
  const given = properties(...pairs.map(([name, value]) => pair(name, value)));
  const { broker, handler } = await setUp({}, [publish(1, 'a\ufffd', 'x', { properties: given })]);
  await until(() => broker.unacknowledged.size === 0);
  expect(handler.stored).toMatchObject([
    { subject: 'a\ufffd', userproperties: JSON.stringify(pairs) },
  ]);
});

test('a topic that is no UTF-8 is quarantined at once, as it can be read', async () => {
  const { broker, folder, stored } = await setUp({}, [
    publish(1, Buffer.from([0x61, 0xff]), 'bytes'),
    publish(2, 'a', 'good'),
  ]);
  await until(() => broker.unacknowledged.size === 0);
  expect([broker.connections.length, stored()]).toEqual([1, ['good']]);
  expect(await deadLettersIn(folder)).toMatchObject([
    { reason: expect.stringContaining('UTF-8'), message: { payload: Buffer.from('bytes') } },
  ]);
});

test('QoS 2 from a session of somebody else: PUBREC when it is stored, then PUBCOMP, and never PUBACK', async () => {
  const { broker, handler, stored } = await setUp({}, [publish(1, 'a', 'two', { first: 0x34 })]);
  let release: (() => void) | undefined;
  handler.answer = (_, response) => {
    release = () => void response.end();
  };
  await until(() => release !== undefined);
  await delay(50);
  expect(commandsOf(broker.connections[0])).not.toContain('pubrec');
  release?.();
  await until(() => broker.unacknowledged.size === 0);
  expect(stored()).toEqual(['two']);
  expect(commandsOf(broker.connections[0])?.filter((cmd) => cmd.startsWith('pub'))).toEqual([
    'pubrec',
    'pubcomp',
  ]);
});

test('a second CONNACK is a protocol error', async () => {
  const { broker, bridge, reasons } = await setUp();
  await until(() => bridge.status().ready);
  broker.send(Buffer.from([0x20, 0x03, 0, 0, 0]));
  await until(() => reasons.length > 0);
  expect(reasons[0]).toBe('a second CONNACK');
});

test('a cut of the network is none of TLS, at a port where a broker has answered', async () => {
  const { broker, bridge, reasons } = await setUp({ cutsAtConnect: (number) => number === 1 });
  await until(() => bridge.status().ready);
  broker.cut();
  await until(() => broker.connections.length === 3);
  expect(reasons).toEqual([
    'the broker closed the connection',
    'the broker closed the connection before CONNACK',
  ]);
});
