// What bridge/connection/connection.ts, bridge/connection/incoming.ts and bridge/session/inbound.ts take from MQTT.js without
// being promised it. An upgrade that changes any of it fails here first. The broker is scripted with mqtt-packet, so
// that every byte is seen.
import { once } from 'node:events';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';
import type { Duplex, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import mqtt, { type MqttClient } from 'mqtt';
import mqttPacket, { type Packet } from 'mqtt-packet';
import { afterEach, beforeEach, expect, test } from 'vitest';
import packageJson from '../../../package.json' with { type: 'json' };
import { until } from '../../support/wait.ts';

let client: MqttClient;
let socket: Socket;
let received: Packet[];
/** What MQTT.js reads; nothing but what a test writes to it. */
let piped: Writable;
let pipes: number;
let close: () => void;

const generate = (packet: Packet) => mqttPacket.generate(packet, { protocolVersion: 5 });
const connack = generate({ cmd: 'connack', reasonCode: 0, sessionPresent: true });

beforeEach(async () => {
  received = [];
  pipes = 0;
  const server = createServer((connection) => {
    socket = connection;
    const parser = mqttPacket.parser({ protocolVersion: 5 });
    parser.on('packet', (packet) => received.push(packet));
    connection.on('data', (bytes) => parser.parse(bytes));
    connection.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  client = mqtt.connect(`mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`, {
    protocolVersion: 5,
    clientId: 'contract',
    clean: false,
    keepalive: 1,
    reconnectPeriod: 0,
    manualConnect: true,
    timerVariant: { set: () => 0, clear: () => {} },
  });
  client.on('error', () => {});
  const build = client['streamBuilder'];
  client['streamBuilder'] = (of: MqttClient) => {
    const stream = build(of);
    intercept(stream);
    return stream;
  };
  client.connect();
  close = () => server.close();
  await until(() => received.length === 1);
});

afterEach(() => {
  client.end(true);
  socket.destroy();
  close();
});

function intercept(stream: Duplex): void {
  stream.pipe = <T extends NodeJS.WritableStream>(destination: T): T => {
    pipes++;
    piped = destination as unknown as Writable;
    stream.resume();
    return destination;
  };
}

test('the version is pinned exactly', () => {
  expect(packageJson.devDependencies.mqtt).toMatch(/^\d+\.\d+\.\d+$/);
});

test('the stream is read by one pipe alone, and what the broker sends past it is not seen', async () => {
  socket.write(connack);
  await delay(50);
  expect([pipes, client.connected]).toEqual([1, false]);
  expect(client.stream.listenerCount('data')).toBe(0);
  expect(client.stream.listenerCount('readable')).toBe(0);
});

test('a packet is taken while it is written: CONNACK is known before what follows it', () => {
  const seen: string[] = [];
  client.on('packetreceive', ({ cmd }) => seen.push(cmd));
  piped.write(connack);
  expect(seen).toEqual(['connack']);
  expect(client.connected).toBe(true);
});

test('`connect` says what CONNACK said', async () => {
  const connected = new Promise((resolve) => client.once('connect', resolve));
  piped.write(connack);
  expect(await connected).toMatchObject({ cmd: 'connack', sessionPresent: true });
});

test('with a timer that never fires it neither pings nor gives up; sendPing pings', async () => {
  piped.write(connack);
  let closed = false;
  client.on('close', () => {
    closed = true;
  });
  await delay(2500);
  expect([closed, received.map(({ cmd }) => cmd)]).toEqual([false, ['connect']]);
  client.sendPing();
  await until(() => received.at(-1)?.cmd === 'pingreq');
});

test('bytes written to the stream arrive whole between MQTT.js’s own packets', async () => {
  piped.write(connack);
  for (let packetId = 1; packetId <= 100; packetId++) {
    client.publish('b', 'y'.repeat(10_000), { qos: 0 });
    queueMicrotask(() => client.stream.write(Buffer.from([0x40, 0x02, 0, packetId])));
  }
  const pubacks = () =>
    received.flatMap((packet) => (packet.cmd === 'puback' ? [packet.messageId] : []));
  await until(() => pubacks().length === 100);
  expect(pubacks()).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
  await until(() => received.filter(({ cmd }) => cmd === 'publish').length === 100);
});

test('PUBREL of a message that it never saw is answered with PUBCOMP', async () => {
  piped.write(connack);
  piped.write(generate({ cmd: 'pubrel', messageId: 77 }));
  await until(() => received.length === 2);
  expect(received[1]).toMatchObject({ cmd: 'pubcomp', messageId: 77 });
});

test('while `disconnecting` is set it sends nothing that it is asked to', async () => {
  piped.write(connack);
  client.disconnecting = true;
  const error = await new Promise((resolve) => client.publish('a', 'x', { qos: 1 }, resolve));
  expect(error).toBeInstanceOf(Error);
  client.disconnecting = false;
  client.publish('b', 'x', { qos: 0 });
  await until(() => received.length === 2);
  expect(received[1]).toMatchObject({ cmd: 'publish', topic: 'b' });
});

test('it writes by the mqtt-packet that keeps no numbers, once bridge/base/mqtt-packet.ts is loaded', async () => {
  await import('../../../bridge/base/mqtt-packet.ts');
  const requireAsMqttJs = createRequire(createRequire(import.meta.url).resolve('mqtt'));
  expect(requireAsMqttJs('mqtt-packet')).toBe(mqttPacket);
  expect(mqttPacket.writeToStream.cacheNumbers).toBe(false);
});
