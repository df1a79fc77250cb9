// What bridge/session/session.ts takes from MQTT.js without being promised it. An upgrade that changes any of it fails
// here first. The broker is scripted with mqtt-packet, so that every byte is seen.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';
import mqtt, { type MqttClient } from 'mqtt';
import mqttPacket, { type Packet } from 'mqtt-packet';
import { afterEach, beforeEach, expect, test } from 'vitest';
import packageJson from '../../../package.json' with { type: 'json' };
import { until } from '../../support/wait.ts';

let client: MqttClient;
let socket: Socket;
let received: Packet[];
let close: () => void;

const withheld = new Error('withheld');

beforeEach(async () => {
  received = [];
  const server = createServer((connection) => {
    socket = connection;
    const parser = mqttPacket.parser({ protocolVersion: 5 });
    parser.on('packet', (packet) => {
      received.push(packet);
      if (packet.cmd === 'connect') send({ cmd: 'connack', reasonCode: 0, sessionPresent: false });
      if (packet.cmd === 'pingreq') send({ cmd: 'pingresp' });
    });
    connection.on('data', (bytes) => parser.parse(bytes));
    connection.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  client = mqtt.connect(`mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`, {
    protocolVersion: 5,
    keepalive: 1,
    reconnectPeriod: 0,
  });
  client.on('error', () => {});
  close = () => server.close();
  await until(() => client.connected);
});

afterEach(() => {
  client.end(true);
  socket.destroy();
  close();
});

function send(packet: Packet): void {
  socket.write(mqttPacket.generate(packet, { protocolVersion: 5 }));
}

function publish(...packetIds: number[]): void {
  for (const messageId of packetIds) {
    send({
      cmd: 'publish',
      topic: 'a',
      payload: 'x',
      qos: 1,
      dup: false,
      retain: false,
      messageId,
    });
  }
}

const pubacks = () =>
  received.flatMap((packet) => (packet.cmd === 'puback' ? [packet.messageId] : []));

test('the version is pinned exactly', () => {
  expect(packageJson.dependencies.mqtt).toMatch(/^\d+\.\d+\.\d+$/);
});

test('an error in the callback goes on to the next packet, sends no PUBACK and is no event', async () => {
  const seen: (number | undefined)[] = [];
  const errors: Error[] = [];
  client.on('error', (error) => errors.push(error));
  client.handleMessage = (packet, done) => {
    seen.push(packet.messageId);
    (done as (error: Error) => void)(withheld);
  };
  publish(1, 2, 3);
  await until(() => seen.length === 3);
  // The keep-alive goes on meanwhile: a PINGREQ after the PUBLISHes, and no PUBACK before it.
  await until(() => received.some(({ cmd }) => cmd === 'pingreq'));
  expect([seen, pubacks(), errors]).toEqual([[1, 2, 3], [], []]);
});

test('a callback without an error sends the PUBACK: the withholding is ours', async () => {
  client.handleMessage = (_, done) => done();
  publish(7);
  await until(() => pubacks().length === 1);
});

test('bytes written to the stream arrive whole between MQTT.js’s own packets', async () => {
  client.handleMessage = (packet, done) => {
    (done as (error: Error) => void)(withheld);
    client.publish('b', 'y'.repeat(10_000), { qos: 0 });
    const bytes = Buffer.from([0x40, 0x02, 0, packet.messageId ?? 0]);
    queueMicrotask(() => client.stream.write(bytes));
  };
  publish(...Array.from({ length: 100 }, (_, index) => index + 1));
  await until(() => pubacks().length === 100);
  expect(pubacks()).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
  expect(received.filter(({ cmd }) => cmd === 'publish')).toHaveLength(100);
});

test('a callback that is not called stops reading; sendPing and reschedulePing keep the connection', async () => {
  const seen: (number | undefined)[] = [];
  let goOn: (() => void) | undefined;
  client.handleMessage = (packet, done) => {
    seen.push(packet.messageId);
    goOn = () => (done as (error: Error) => void)(withheld);
  };
  let closed = false;
  client.on('close', () => {
    closed = true;
  });
  const nurse = setInterval(() => {
    client.sendPing();
    client.reschedulePing(true);
  }, 300);
  publish(1, 2);
  await until(() => received.filter(({ cmd }) => cmd === 'pingreq').length > 10);
  clearInterval(nurse);
  expect([seen, closed]).toEqual([[1], false]);
  goOn?.();
  await until(() => seen.length === 2);
});

test('`packetreceive` tells of CONNACK before any PUBLISH is handled', async () => {
  const order: string[] = [];
  const server = createServer((connection) => {
    connection.on('error', () => {});
    connection.once('data', () => {
      const connack = mqttPacket.generate(
        { cmd: 'connack', reasonCode: 0, sessionPresent: true },
        { protocolVersion: 5 },
      );
      const message: Packet = {
        cmd: 'publish',
        topic: 'a',
        payload: 'x',
        qos: 1,
        dup: true,
        retain: false,
        messageId: 5,
      };
      connection.write(
        Buffer.concat([connack, mqttPacket.generate(message, { protocolVersion: 5 })]),
      );
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const early = mqtt.connect(`mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`, {
    protocolVersion: 5,
    clean: false,
    clientId: 'early',
    reconnectPeriod: 0,
  });
  early.on('packetreceive', ({ cmd }) => order.push(cmd));
  early.handleMessage = (_, done) => {
    order.push('handled');
    done();
  };
  await until(() => order.includes('handled'));
  expect(order.slice(0, 3)).toEqual(['connack', 'publish', 'handled']);
  early.end(true);
  server.close();
});
