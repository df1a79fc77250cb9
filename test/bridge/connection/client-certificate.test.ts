// Client certificates that are unusable or refused: the reason names them, and once they are replaced the session
// that is running comes back by itself.
import type { TlsOptions } from 'node:tls';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { startBroker } from '../../../infra/broker/broker.ts';
import {
  hasMosquitto,
  needsMosquitto,
  startMosquitto,
  temporaryFolder,
} from '../../support/brokers.ts';
import { freePort } from '../../support/ports.ts';
import { until } from '../../support/wait.ts';
import { keepSession } from './kept-session.ts';
import {
  bridgeFiles,
  expectRecovery,
  files,
  prepare,
  startListener,
  text,
  yesterday,
} from './tls-rig.ts';

beforeAll(prepare);

describe("the bridge's own files:", () => {
  test('a key that is that of another certificate', async () => {
    const { port } = await startListener('mqtts', files.identity('broker'));
    const { fields, path, put } = bridgeFiles({
      ca: 'authority',
      client: 'bridge',
      key: 'stranger-key',
    });
    await expectRecovery(
      keepSession({ url: `mqtts://127.0.0.1:${port}`, ...fields }),
      `the private key in the file ${path('key')} does not match the client certificate in the file ${path('client')} (CN=bridge, issued by CN=authority)`,
      () => put('key', files.text('bridge-key')),
    );
  });

  test.each([
    ['ca', 'CA certificate', 'authority'],
    ['client', 'client certificate', 'bridge'],
    ['key', 'private key', 'bridge-key'],
  ] as const)('%s that is no PEM; nothing of it is said', async (name, what, right) => {
    const { port } = await startListener('mqtts', files.identity('broker'));
    const { fields, path, put } = bridgeFiles({ ca: 'authority', client: 'bridge' });
    const label = name === 'key' ? 'PRIVATE KEY' : 'CERTIFICATE';
    put(name, `-----BEGIN ${label}-----\nhunter2\n-----END ${label}-----\n`);
    const session = keepSession({ url: `mqtts://127.0.0.1:${port}`, ...fields });
    await expectRecovery(
      session,
      `the ${what} in the file ${path(name)} cannot be read as PEM`,
      () => put(name, files.text(right)),
    );
    expect(JSON.stringify([session.reasons, session.lines])).not.toContain('hunter2');
  });
});

/** TLS 1.2 lets the broker refuse within the handshake, TLS 1.3 after it. */
const versions = ['TLSv1.2', 'TLSv1.3'] as const;

/** A broker that asks for a certificate of `authority`. */
const asking = (version: (typeof versions)[number]): TlsOptions => ({
  ...files.identity('broker'),
  ca: files.text('authority'),
  requestCert: true,
  rejectUnauthorized: true,
  maxVersion: version,
});

describe.each(versions)('a broker of Node.js that asks for certificates, %s:', (version) => {
  test('none', async () => {
    const listener = await startListener('mqtts', asking(version));
    const { fields } = bridgeFiles({ ca: 'authority' });
    await expectRecovery(
      keepSession({ url: `mqtts://127.0.0.1:${listener.port}`, ...fields }),
      version === 'TLSv1.3'
        ? 'the broker asks for a client certificate, and none is configured'
        : 'the broker ended the TLS handshake (handshake_failure): it may ask for a client certificate, and none is configured',
      () => listener.open('mqtts', files.identity('broker')),
    );
  });

  test.each([
    ['stranger', 'CN=stranger, self-signed', ''],
    [
      'old-bridge',
      'CN=old-bridge, issued by CN=authority',
      `, which expired on ${text(yesterday)}`,
    ],
  ])('%s: it closes without a word', async (name, subject, hint) => {
    const listener = await startListener('mqtts', asking(version));
    const { fields, path, put } = bridgeFiles({ ca: 'authority', client: name });
    const refused = `it may have refused the client certificate in the file ${path('client')} (${subject})${hint}`;
    await expectRecovery(
      keepSession({ url: `mqtts://127.0.0.1:${listener.port}`, ...fields }),
      version === 'TLSv1.3'
        ? `the broker closed the connection before CONNACK: ${refused}`
        : `the broker closed the connection during the TLS handshake: there may be no TLS at this port, or ${refused}`,
      () => {
        put('key', files.text('bridge-key'));
        put('client', files.text('bridge'));
      },
    );
  });
});

describe.skipIf(!hasMosquitto)(
  `mosquitto that asks for certificates ${hasMosquitto ? '' : needsMosquitto}`.trim(),
  () => {
    let url = '';
    let webSocketUrl = '';
    beforeAll(async () => {
      const [port, webSocketPort] = [await freePort(), await freePort()];
      const tls = [
        `cafile ${files.path('authority')}`,
        `certfile ${files.path('broker')}`,
        `keyfile ${files.path('broker-key')}`,
        'require_certificate true',
      ];
      const settings = [
        ...[`listener ${port} 127.0.0.1`, ...tls],
        ...[`listener ${webSocketPort} 127.0.0.1`, 'protocol websockets', ...tls],
      ];
      const mosquitto = await startMosquitto({ settings });
      url = `mqtts://127.0.0.1:${port}`;
      webSocketUrl = `wss://127.0.0.1:${webSocketPort}`;
      return () => mosquitto.stop();
    });

    test('the right one gets in, by mqtts and by wss', async () => {
      const { fields } = bridgeFiles({ ca: 'authority', client: 'bridge' });
      for (const [index, address] of [url, webSocketUrl].entries()) {
        const { links, reasons } = keepSession({ url: address, ...fields }, {}, `right-${index}`);
        await until(() => links.length > 0);
        expect(reasons).toEqual([]);
      }
    });

    test.each([
      [
        'stranger',
        'CN=stranger, self-signed',
        // A self-signed one is its own CA.
        'it does not know its CA (unknown_ca)',
      ],
      [
        'old-bridge',
        'CN=old-bridge, issued by CN=authority',
        'it says that it has expired, or is not valid yet (certificate_expired)',
      ],
    ])('%s is refused', async (name, subject, reason) => {
      const { fields, path, put } = bridgeFiles({ ca: 'authority', client: name });
      await expectRecovery(
        keepSession({ url, ...fields }, {}, name),
        `the broker refused the client certificate in the file ${path('client')} (${subject}): ${reason}`,
        () => {
          put('key', files.text('bridge-key'));
          put('client', files.text('bridge'));
        },
      );
    });
  },
);

test('the embedded broker: the right certificate gets in by mqtts and wss, the wrong one can be replaced', async () => {
  const { ports, close } = await startBroker({
    port: null,
    folder: temporaryFolder('embedded'),
    tls: {
      port: 0,
      certFile: files.path('broker'),
      keyFile: files.path('broker-key'),
      clientCaFile: files.path('authority'),
    },
    websocket: { port: 0, tls: true },
  });
  onTestFinished(close);
  const right = bridgeFiles({ ca: 'authority', client: 'bridge' });
  for (const url of [`mqtts://127.0.0.1:${ports.tls}`, `wss://127.0.0.1:${ports.wss}/mqtt`]) {
    const { links } = keepSession(
      { url, protocolVersion: 4, ...right.fields },
      {},
      url.slice(0, 3),
    );
    await until(() => links.length > 0);
  }
  const { fields, path, put } = bridgeFiles({ ca: 'authority', client: 'stranger' });
  const session = keepSession(
    { url: `mqtts://127.0.0.1:${ports.tls}`, protocolVersion: 4, ...fields },
    {},
    'stranger',
  );
  await expectRecovery(
    session,
    `the broker closed the connection before CONNACK: it may have refused the client certificate in the file ${path('client')} (CN=stranger, self-signed)`,
    () => {
      put('key', files.text('bridge-key'));
      put('client', files.text('bridge'));
    },
  );
});
