// What a broker asks for before it lets the bridge in: credentials and certificates, from files and from secrets.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer as createTcpServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { createServer as createTlsServer, type TLSSocket, type TlsOptions } from 'node:tls';
import mqttPacket, { type IConnectPacket, type Packet } from 'mqtt-packet';
import { pino } from 'pino';
import { beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { createSecrets, minAgeMs } from '../../../bridge/base/secrets.ts';
import { type BridgeConfigInput, parseConfig } from '../../../bridge/config/config.ts';
import type { Broker } from '../../../bridge/connection/access.ts';
import { connectOnce, disconnect } from '../../../bridge/connection/connection.ts';
import { temporaryFolder } from '../../support/brokers.ts';
import { listenDuringTest } from '../../support/listen-during-test.ts';
import { type FakeSecretsManager, startFakeSecretsManager } from '../fake-secrets-manager.ts';

const folder = temporaryFolder('access');
const file = (name: string) => join(folder, `${name}.pem`);
const text = (name: string) => readFileSync(file(name), 'utf8');

/** Makes `<name>.pem` and `<name>-key.pem`, signed by `issuer` or by itself. */
function makeCertificate(name: string, issuer?: string): void {
  const signed = issuer === undefined ? [] : ['-CA', file(issuer), '-CAkey', file(`${issuer}-key`)];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const files = ['-keyout', file(`${name}-key`), '-out', file(name)];
  const names = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`];
  const args = ['req', '-x509', '-days', '1', ...key, ...files, ...names, ...signed];
  execFileSync('openssl', args, { stdio: 'ignore' });
}

beforeAll(() => {
  makeCertificate('authority');
  makeCertificate('broker', 'authority');
  makeCertificate('bridge', 'authority');
  makeCertificate('stranger');
});

/** A broker that answers CONNECT with a reason code, over TLS where it has options for it. */
async function startBroker(
  codeOf: (connect: IConnectPacket, socket: Socket) => number,
  tls?: TlsOptions,
): Promise<string> {
  const serve = (socket: Socket) => {
    socket.on('error', () => {});
    const parser = mqttPacket.parser();
    parser.on('packet', (packet) => {
      if (packet.cmd !== 'connect') return;
      const reasonCode = codeOf(packet, socket);
      const connack: Packet = { cmd: 'connack', reasonCode, sessionPresent: false };
      socket.write(mqttPacket.generate(connack, { protocolVersion: 5 }));
    });
    socket.on('data', (bytes) => parser.parse(bytes));
  };
  const server = tls === undefined ? createTcpServer(serve) : createTlsServer(tls, serve);
  const port = await listenDuringTest(server);
  const protocol = tls === undefined ? 'mqtt' : 'mqtts';
  return `${protocol}://127.0.0.1:${port}`;
}

/** A broker with a certificate of `authority`, which asks for one of the same. */
const startTlsBroker = (onConnect: (socket: TLSSocket) => void = () => {}) =>
  startBroker(
    (_, socket) => {
      onConnect(socket as TLSSocket);
      return 0;
    },
    {
      cert: text('broker'),
      key: text('broker-key'),
      ca: text('authority'),
      requestCert: true,
      rejectUnauthorized: true,
      ALPNProtocols: ['x-mqtt'],
    },
  );

function brokerOf(fields: BridgeConfigInput['broker'], manager?: FakeSecretsManager): Broker {
  const config = parseConfig({
    broker: { connectTimeoutMs: 2000, ...fields },
    routes: [{ name: 'store', filter: '#', url: 'http://handler.invalid' }],
  });
  if (!config.ok) throw new Error(JSON.stringify(config.faults));
  const secrets = manager && createSecrets(pino({ level: 'silent' }), manager.client);
  return { ...config.value.broker, secrets };
}

async function tryOnce(broker: Broker, signal?: AbortSignal) {
  const options = { broker, clientId: 'causeway-store-0', clean: true };
  const outcome = await connectOnce(options, 5, undefined, signal);
  if (outcome.kind === 'connected') await disconnect(outcome.link);
  return outcome;
}

function stoppedClock() {
  const clock = vi.spyOn(performance, 'now').mockReturnValue(0);
  onTestFinished(() => clock.mockRestore());
  return clock;
}

const credentials = (password: string) => JSON.stringify({ username: 'bridge', password });

test.each([0x86, 0x87, 0x8a, 0x04, 0x05])(
  'after a refusal with code %i the credentials are read again',
  async (code) => {
    const clock = stoppedClock();
    const manager = await startFakeSecretsManager({ broker: credentials('old') });
    const url = await startBroker(({ username, password }) =>
      username === 'bridge' && password?.toString() === 'new' ? 0 : code,
    );
    const broker = brokerOf({ url, credentialsSecret: 'broker' }, manager);
    expect(await tryOnce(broker)).toMatchObject({ kind: 'refused', code });
    manager.values.set('broker', credentials('new'));
    clock.mockReturnValue(minAgeMs);
    expect(await tryOnce(broker)).toMatchObject({ kind: 'refused' });
    expect(await tryOnce(broker)).toMatchObject({ kind: 'connected' });
    expect(manager.reads).toHaveLength(2);
  },
);

test('a broker that is busy is no reason to read them again', async () => {
  const clock = stoppedClock();
  const manager = await startFakeSecretsManager({ broker: credentials('old') });
  const url = await startBroker(() => 0x89);
  const broker = brokerOf({ url, credentialsSecret: 'broker' }, manager);
  await tryOnce(broker);
  clock.mockReturnValue(minAgeMs);
  await tryOnce(broker);
  expect(await tryOnce(broker)).toMatchObject({ kind: 'refused', code: 0x89 });
  expect(manager.reads).toHaveLength(1);
});

test.each([
  [null, /^the secret broker cannot be read: ResourceNotFoundException: /],
  [
    'hunter2',
    /^the secret broker must be a JSON object with the strings username and password, and is not JSON$/,
  ],
  ['{"username":"hunter2"}', /^the secret broker must be a JSON object/],
])(
  'credentials that are %s are a reason not to connect; nothing secret is said',
  async (value, reason) => {
    const manager = await startFakeSecretsManager({ broker: value });
    const url = await startBroker(() => 0);
    const outcome = await tryOnce(brokerOf({ url, credentialsSecret: 'broker' }, manager));
    expect(outcome).toMatchObject({ kind: 'unreachable', reason: expect.stringMatching(reason) });
    expect(JSON.stringify(outcome)).not.toContain('hunter2');
  },
);

test('a stop does not wait for secrets', async () => {
  const stop = new AbortController();
  const secrets = { read: () => new Promise<string>(() => {}), doubt() {} };
  const broker = { ...brokerOf({ url: 'mqtt://127.0.0.1', credentialsSecret: 'broker' }), secrets };
  const trying = tryOnce(broker, stop.signal);
  stop.abort();
  expect(await trying).toMatchObject({ kind: 'unreachable', reason: 'stopped' });
});

test('certificates in files: CA, client certificate, server name and ALPN', async () => {
  let alpn: string | false | null = null;
  let client = '';
  const url = await startTlsBroker((socket) => {
    alpn = socket.alpnProtocol;
    client = String(socket.getPeerCertificate().subject.CN);
  });
  const files = {
    caFile: file('authority'),
    certificateFile: file('bridge'),
    keyFile: file('bridge-key'),
  };
  const broker = brokerOf({ url, ...files, serverName: 'broker', alpnProtocols: ['x-mqtt'] });
  expect(await tryOnce(broker)).toMatchObject({ kind: 'connected' });
  expect([alpn, client]).toEqual(['x-mqtt', 'bridge']);
  expect(await tryOnce({ ...broker, serverName: 'other' })).toMatchObject({
    kind: 'unreachable',
    untrusted: true,
  });
  expect(await tryOnce({ ...broker, caFile: undefined })).toMatchObject({
    kind: 'unreachable',
    untrusted: true,
  });
  expect(await tryOnce({ ...broker, caFile: file('missing') })).toMatchObject({
    kind: 'unreachable',
    reason: expect.stringContaining('ENOENT'),
  });
});

test('certificates in secrets, read again when the broker does not accept them', async () => {
  const clock = stoppedClock();
  const certificateOf = (name: string) =>
    JSON.stringify({ certificate: text(name), privateKey: text(`${name}-key`) });
  const manager = await startFakeSecretsManager({
    // As consoles and editors leave them.
    ca: text('authority').replaceAll('\n', ' '),
    certificate: certificateOf('stranger'),
  });
  const url = await startTlsBroker();
  const broker = brokerOf(
    { url, caSecret: 'ca', clientCertificateSecret: 'certificate', serverName: 'broker' },
    manager,
  );
  expect(await tryOnce(broker)).toMatchObject({ kind: 'unreachable' });
  manager.values.set('certificate', `\uFEFF${certificateOf('bridge').replaceAll('\\n', '\\\\n')}`);
  clock.mockReturnValue(minAgeMs);
  await tryOnce(broker);
  expect(await tryOnce(broker)).toMatchObject({ kind: 'connected' });
});

test('a certificate that is none is a reason not to connect', async () => {
  const certificate = JSON.stringify({ certificate: 'hunter2', privateKey: 'hunter2' });
  const manager = await startFakeSecretsManager({ certificate });
  const url = await startTlsBroker();
  const outcome = await tryOnce(brokerOf({ url, clientCertificateSecret: 'certificate' }, manager));
  expect(outcome).toMatchObject({ kind: 'unreachable', reason: expect.stringContaining('PEM') });
  expect(JSON.stringify(outcome)).not.toContain('hunter2');
});
