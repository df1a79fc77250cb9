// The ports: TLS with and without client certificates, WebSocket over either, and who is kept out.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect as connectTcp, createServer } from 'node:net';
import { connect as connectTls } from 'node:tls';
import mqtt, { type IClientOptions } from 'mqtt';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { ConnectRequest } from '../../../infra/broker/access/access.ts';
import { allRights } from '../../../infra/broker/access/topic-rights.ts';
import { type EmbeddedBroker, startBroker } from '../../../infra/broker/broker.ts';
import { temporaryFolder } from '../../support/brokers.ts';
import { until } from '../../support/wait.ts';
import { certificatesIn } from './certificates.ts';

const { pem, make: certificate } = certificatesIn(temporaryFolder('certificates'));

let broker: EmbeddedBroker;
const requests: ConnectRequest[] = [];
beforeAll(async () => {
  certificate('authority');
  certificate('server', 'authority');
  certificate('lamp', 'authority');
  certificate('stranger');
  broker = await startBroker({
    port: null,
    folder: temporaryFolder('listeners'),
    tls: {
      port: 0,
      certFile: pem('server'),
      keyFile: pem('server-key'),
      clientCaFile: pem('authority'),
    },
    websocket: { port: 0, origins: ['https://app.example'] },
    limits: { connectTimeoutMs: 500, maxPacketBytes: 10_000 },
    validator(request) {
      requests.push(request);
      if (request.username === 'wrong') return { accepted: false, refusal: 'bad-user-or-password' };
      return { accepted: true, user: undefined, rights: allRights };
    },
  });
});
afterAll(() => broker.close());

const own = { ca: readable('authority'), cert: readable('lamp'), key: readable('lamp-key') };
function readable(name: string) {
  return () => readFileSync(pem(name));
}
const withCertificate = (): IClientOptions => ({
  ca: own.ca(),
  cert: own.cert(),
  key: own.key(),
  reconnectPeriod: 0,
});

async function roundTrip(url: string, options: IClientOptions): Promise<void> {
  const client = await mqtt.connectAsync(url, { reconnectPeriod: 0, ...options });
  const received: string[] = [];
  client.on('message', (_, payload) => received.push(String(payload)));
  await client.subscribeAsync('a', { qos: 1 });
  await client.publishAsync('a', 'x'.repeat(5000), { qos: 1 });
  await until(() => received.length === 1);
  await client.endAsync();
}

test('TLS: the validator learns the name in the client certificate', async () => {
  await roundTrip(`mqtts://127.0.0.1:${broker.ports.tls}`, withCertificate());
  expect(requests.at(-1)).toMatchObject({
    tls: true,
    certificateName: 'lamp',
    address: '127.0.0.1',
  });
});

test('TLS: without a certificate of the authority nobody gets in', async () => {
  const before = requests.length;
  const stranger = { cert: readFileSync(pem('stranger')), key: readFileSync(pem('stranger-key')) };
  for (const options of [{}, stranger]) {
    const port = broker.ports.tls;
    const socket = connectTls({ port, host: '127.0.0.1', ca: own.ca(), ...options });
    let answered = false;
    socket.on('data', () => {
      answered = true;
    });
    // How it ends, by an alert or none, is up to the TLS versions.
    socket.on('error', () => {});
    await new Promise((resolve) => socket.once('close', resolve));
    expect(answered).toBe(false);
  }
  expect(requests.length).toBe(before);
});

test.each(['tls', 'ws'] as const)(
  'a refusal reaches the client as CONNACK over %s',
  async (name) => {
    const url = name === 'tls' ? 'mqtts://127.0.0.1' : 'ws://127.0.0.1';
    const path = name === 'ws' ? '/mqtt' : '';
    const certificates = name === 'tls' ? withCertificate() : { reconnectPeriod: 0 };
    const options = { ...certificates, username: 'wrong', password: 'x' };
    await expect(
      mqtt.connectAsync(`${url}:${broker.ports[name]}${path}`, options),
    ).rejects.toMatchObject({ code: 4 });
  },
);

test('WebSocket', async () => {
  await roundTrip(`ws://127.0.0.1:${broker.ports.ws}/mqtt`, {});
  expect(requests.at(-1)).toMatchObject({ tls: false, address: '127.0.0.1' });
});

test('WebSocket over TLS', async () => {
  const secure = await startBroker({
    port: null,
    folder: temporaryFolder('listeners'),
    tls: { port: 0, certFile: pem('server'), keyFile: pem('server-key') },
    websocket: { port: 0, tls: true },
  });
  await roundTrip(`wss://127.0.0.1:${secure.ports.wss}/mqtt`, { ca: own.ca() });
  await secure.close();
});

test.each([
  ['a page of another origin', '/mqtt', 'mqtt', 'https://evil.example', 403],
  ['another path', '/other', 'mqtt', undefined, 400],
  ['another protocol', '/mqtt', 'chat', undefined, 400],
  ['a page of an allowed origin', '/mqtt?x=1', 'mqtt', 'https://app.example', 101],
])('WebSocket upgrade: %s', async (_, path, protocol, origin, status) => {
  const before = broker.counters.webSocketsRefused;
  const url = `ws://127.0.0.1:${broker.ports.ws}${path}`;
  const socket = new WebSocket(url, protocol, origin === undefined ? {} : { origin });
  socket.on('error', () => {});
  const answer = await new Promise((resolve) => {
    socket.on('open', () => resolve(101));
    socket.on('unexpected-response', (_request, { statusCode }) => resolve(statusCode));
  });
  socket.terminate();
  expect(answer).toBe(status);
  expect(broker.counters.webSocketsRefused - before).toBe(status === 101 ? 0 : 1);
});

test('WebSocket: text, frames without end and silence are closed', async () => {
  const open = async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${broker.ports.ws}/mqtt`, 'mqtt');
    socket.on('error', () => {});
    await once(socket, 'open');
    return { socket, closed: once(socket, 'close') };
  };
  const [text, large, silent] = [await open(), await open(), await open()];
  text.socket.send('hello');
  large.socket.send(Buffer.alloc(50_000));
  await Promise.all([text.closed, large.closed, silent.closed]);
  await roundTrip(`ws://127.0.0.1:${broker.ports.ws}/mqtt`, {});
});

test.each([
  ['TLS handshake', 'tls', ''],
  ['WebSocket upgrade, without a word', 'ws', ''],
  ['WebSocket upgrade, byte by byte', 'ws', `GET /mqtt HTTP/1.1\r\nHost: ${'x'.repeat(5000)}`],
] as const)('a client that never finishes its %s is closed in time', async (_, name, text) => {
  const socket = connectTcp({ port: broker.ports[name] ?? 0, host: '127.0.0.1' });
  socket.on('error', () => {});
  socket.resume();
  let closed = false;
  socket.on('close', () => {
    closed = true;
  });
  let sent = 0;
  const timer = setInterval(() => socket.write(text.slice(sent, ++sent)), 20);
  await until(() => closed);
  clearInterval(timer);
});

test('a port that is taken: none stays open', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const broken = { port: 0, folder: temporaryFolder('listeners'), websocket: { port } };
  await expect(startBroker(broken)).rejects.toMatchObject({
    code: 'EADDRINUSE',
    syscall: 'listen',
  });
  taken.close();
  // The folder is free again too.
  await (await startBroker(broken)).close();
});
