// The network side against a scripted broker: versions, refusals and takeovers.
import { createServer, type Socket } from 'node:net';
import { Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import mqttPacket, { type IConnectPacket, type Packet } from 'mqtt-packet';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { parseConfig } from '../../../bridge/config/config.ts';
import { keepConnected } from '../../../bridge/connection/keep-connected.ts';
import type { Link } from '../../../bridge/connection/link.ts';
import { listenDuringTest } from '../../support/listen-during-test.ts';
import { until } from '../../support/wait.ts';

type Script = (
  connect: IConnectPacket,
  socket: Socket,
  attempt: number,
) => Packet | 'close' | 'silence';

const accepted = ({ protocolVersion }: IConnectPacket): Packet =>
  protocolVersion === 5
    ? { cmd: 'connack', reasonCode: 0, sessionPresent: false }
    : { cmd: 'connack', returnCode: 0, sessionPresent: false };

/** A broker that answers each CONNECT as the script says. */
async function scriptedBroker(script: Script): Promise<string> {
  let attempts = 0;
  const server = createServer((socket) => {
    socket.on('error', () => {});
    const parser = mqttPacket.parser();
    parser.on('packet', (packet) => {
      if (packet.cmd !== 'connect') return;
      const answer = script(packet, socket, ++attempts);
      if (answer === 'close') socket.destroy();
      else if (answer !== 'silence') {
        socket.write(mqttPacket.generate(answer, { protocolVersion: packet.protocolVersion ?? 4 }));
      }
    });
    socket.on('data', (bytes) => parser.parse(bytes));
  });
  return `mqtt://127.0.0.1:${await listenDuringTest(server)}`;
}

function keep(url: string, { connectTimeoutMs = 500 } = {}) {
  const config = parseConfig({
    broker: { url, connectTimeoutMs },
    routes: [{ name: 'store', filter: '#', url: 'http://handler.invalid' }],
  });
  if (!config.ok) throw new Error('config');
  const lines: string[] = [];
  const links: Link[] = [];
  const reasons: string[] = [];
  const stop = new AbortController();
  const stream = new Writable({
    write(chunk, _, done) {
      lines.push(JSON.parse(chunk.toString()).msg);
      done();
    },
  });
  const ended = keepConnected({
    broker: config.value.broker,
    clientId: 'causeway-store-0',
    clean: false,
    receiveMaximum: 100,
    log: pino({}, stream),
    onConnected: (link) => links.push(link),
    onDisconnected: (reason) => reasons.push(reason),
    signal: stop.signal,
  });
  onTestFinished(async () => {
    stop.abort();
    await ended;
  });
  return { lines, links, reasons, ended, stop };
}

test.each(['ws', 'wss'])('%s to an IPv6 address', async (scheme) => {
  // Nothing listens there, and this machine may have no IPv6: but an address it is.
  const { reasons } = keep(`${scheme}://[::1]:1/mqtt`);
  await until(() => reasons.length > 0);
  expect(reasons[0]).toMatch(/ECONNREFUSED|EADDRNOTAVAIL|ENETUNREACH|EAFNOSUPPORT/);
});

test('a client id in the query of the URL is none: each connection has its own', async () => {
  const clientIds: string[] = [];
  const url = await scriptedBroker((connect) => {
    clientIds.push(connect.clientId);
    return accepted(connect);
  });
  keep(`${url}/?clientId=everybody`);
  await until(() => clientIds.length > 0);
  expect(clientIds).toEqual(['causeway-store-0']);
});

test('MQTT 5 first, with receive maximum and session expiry', async () => {
  let connect: IConnectPacket | undefined;
  const url = await scriptedBroker((packet) => {
    connect = packet;
    return accepted(packet);
  });
  const { links } = keep(url);
  await until(() => links.length === 1);
  expect(connect).toMatchObject({
    protocolVersion: 5,
    clean: false,
    properties: { receiveMaximum: 100, sessionExpiryInterval: 7 * 86_400 },
  });
});

test('a broker without MQTT 5 gets 3.1.1, and the log says so once', async () => {
  const versions: (number | undefined)[] = [];
  const url = await scriptedBroker((packet, socket, attempt) => {
    versions.push(packet.protocolVersion);
    if (packet.protocolVersion === 5)
      return { cmd: 'connack', returnCode: 1, reasonCode: 0x84, sessionPresent: false };
    if (attempt === 2) setTimeout(() => socket.destroy(), 20);
    return accepted(packet);
  });
  const { links, lines } = keep(url);
  await until(() => links.length === 2);
  expect(versions).toEqual([5, 4, 4]);
  expect(lines.filter((line) => line.includes('using MQTT 3.1.1'))).toHaveLength(1);
});

test('so does a broker that closes on MQTT 5 without a word, but not a proxy whose broker is away', async () => {
  const versions: (number | undefined)[] = [];
  const url = await scriptedBroker((packet) => {
    versions.push(packet.protocolVersion);
    return packet.protocolVersion === 5 ? 'close' : accepted(packet);
  });
  const { links } = keep(url);
  await until(() => links.length === 1);
  // Three times 5, two trials, and then 3.1.1.
  expect(versions).toEqual([5, 5, 5, 4, 5, 4]);
  const proxied = await scriptedBroker((packet, _, attempt) =>
    attempt < 6 ? 'close' : accepted(packet),
  );
  const kept = keep(proxied);
  await until(() => kept.links.length === 1);
  expect(kept.links[0]?.protocolVersion).toBe(5);
});

test('a refused CONNACK and a broker that says nothing are tried again', async () => {
  const url = await scriptedBroker((packet, _, attempt) => {
    if (attempt === 1) return { cmd: 'connack', reasonCode: 0x87, sessionPresent: false };
    return attempt === 2 ? 'silence' : accepted(packet);
  });
  const { links, reasons } = keep(url);
  await until(() => links.length === 1);
  expect(reasons).toEqual([
    'the broker refused the connection with 0x87 (Not authorized)',
    'the broker has not answered CONNECT in 500 ms',
  ]);
});

test('a session taken over twice steps back and says why', async () => {
  const url = await scriptedBroker((packet, socket) => {
    setTimeout(() => {
      const takenOver: Packet = { cmd: 'disconnect', reasonCode: 0x8e };
      socket.end(mqttPacket.generate(takenOver, { protocolVersion: 5 }));
    }, 20);
    return accepted(packet);
  });
  const { links, lines, reasons } = keep(url);
  await until(() => lines.includes('another client uses this client id: waiting half a minute'));
  expect(links).toHaveLength(2);
  expect(reasons).toEqual(Array(2).fill('another client connected with the same client id'));
});

test('a stop does not wait for a broker that says nothing', async () => {
  const url = await scriptedBroker(() => 'silence');
  const { ended, stop } = keep(url, { connectTimeoutMs: 60_000 });
  await delay(50);
  stop.abort();
  await ended;
});
