// TLS that does not come about for the broker: the reason names the certificate and what is wrong with it, and once
// that is mended the session that is running comes back by itself.
import { createServer } from 'node:net';
import { beforeAll, describe, expect, test } from 'vitest';
import { listenDuringTest } from '../../support/listen-during-test.ts';
import { until } from '../../support/wait.ts';
import { keepSession } from './kept-session.ts';
import {
  type BrokerFields,
  bridgeFiles,
  expectRecovery,
  files,
  prepare,
  startListener,
  text,
  tomorrow,
  yesterday,
} from './tls-rig.ts';

beforeAll(prepare);

const broker = 'CN=broker, issued by CN=authority';

describe.each(['mqtts', 'wss'] as const)("the broker's certificate, by %s:", (transport) => {
  const keep = (port: number, fields: BrokerFields) =>
    keepSession({ url: `${transport}://127.0.0.1:${port}`, ...fields });

  test('of a CA that is not in the file', async () => {
    const { port } = await startListener(transport, files.identity('broker'));
    const { fields, path, put } = bridgeFiles({ ca: 'stranger' });
    await expectRecovery(
      keep(port, fields),
      `the broker's certificate (${broker}) leads to the CA CN=authority, which is not in the file ${path('ca')}`,
      () => put('ca', files.text('authority')),
    );
  });

  test('of a new CA under its old name', async () => {
    const { port } = await startListener(transport, files.identity('broker'));
    const { fields, path, put } = bridgeFiles({ ca: 'namesake' });
    await expectRecovery(
      keep(port, fields),
      `the broker's certificate (${broker}) leads to the CA CN=authority, but not to the one of that name in the file ${path('ca')}: its key is another`,
      () => put('ca', files.text('authority')),
    );
  });

  test('of no public CA', async () => {
    const { port } = await startListener(transport, files.identity('broker'));
    const { reasons } = keep(port, {});
    await until(() => reasons.length > 0);
    expect(reasons[0]).toBe(
      `the broker's certificate (${broker}) leads to the CA CN=authority, which is not known to Node.js: name it in broker.caFile, broker.caSecret or NODE_EXTRA_CA_CERTS`,
    );
  });

  test('self-signed', async () => {
    const listener = await startListener(transport, files.identity('stranger'));
    const { fields, path } = bridgeFiles({ ca: 'authority' });
    await expectRecovery(
      keep(listener.port, fields),
      `the broker's certificate (CN=stranger, self-signed) is not in the file ${path('ca')}`,
      () => listener.open(transport, files.identity('broker')),
    );
  });

  test('for another host; the name that it is for can be set', async () => {
    const listener = await startListener(transport, files.identity('elsewhere'));
    const { fields } = bridgeFiles({ ca: 'authority' });
    const named = keep(listener.port, { ...fields, serverName: 'broker.example' });
    await until(() => named.links.length > 0);
    expect(named.reasons).toEqual([]);
    await named.stop();
    await expectRecovery(
      keep(listener.port, fields),
      "the broker's certificate (CN=elsewhere, issued by CN=authority) is for broker.example, IP Address:10.0.0.1, not for 127.0.0.1: set broker.serverName if it is the right broker",
      () => listener.open(transport, files.identity('broker')),
    );
  });

  test.each([
    ['old', `expired on ${text(yesterday)}`],
    ['future', `is not valid before ${text(tomorrow)}`],
  ])('%s', async (name, fault) => {
    const listener = await startListener(transport, files.identity(name));
    const { fields } = bridgeFiles({ ca: 'authority' });
    await expectRecovery(
      keep(listener.port, fields),
      `the broker's certificate (CN=${name}, issued by CN=authority) ${fault}`,
      () => listener.open(transport, files.identity('broker')),
    );
  });

  test('of a CA that has expired', async () => {
    const listener = await startListener(transport, files.identity('of-old'));
    const { fields, path, put } = bridgeFiles({ ca: 'old-authority' });
    await expectRecovery(
      keep(listener.port, fields),
      `the CA certificate in the file ${path('ca')} (CN=old-authority, self-signed) expired on ${text(yesterday)}`,
      async () => {
        put('ca', files.text('authority'));
        await listener.open(transport, files.identity('broker'));
      },
    );
  });
});

describe('what is no TLS of today:', () => {
  test.each(['TLSv1', 'TLSv1.1'] as const)('%s alone', async (version) => {
    const old = { minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' };
    const listener = await startListener('mqtts', { ...files.identity('broker'), ...old });
    const { fields } = bridgeFiles({ ca: 'authority' });
    await expectRecovery(
      keepSession({ url: `mqtts://127.0.0.1:${listener.port}`, ...fields }),
      'the broker has TLS 1.1 or older only, which is broken and not used: it needs TLS 1.2 or 1.3',
      () => listener.open('mqtts', files.identity('broker')),
    );
  });

  test.each(['mqtts', 'wss'] as const)('plain TCP behind %s', async (transport) => {
    const listener = await startListener('mqtt');
    const { fields } = bridgeFiles({ ca: 'authority' });
    await expectRecovery(
      keepSession({ url: `${transport}://127.0.0.1:${listener.port}`, ...fields }),
      'the broker closed the connection during the TLS handshake: there may be no TLS at this port',
      () => listener.open(transport, files.identity('broker')),
    );
  });

  test('a port that answers in plain text', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
    });
    const { reasons } = keepSession({
      url: `mqtts://127.0.0.1:${await listenDuringTest(server)}`,
    });
    await until(() => reasons.length > 0);
    expect(reasons[0]).toBe(
      'what answers at this port does not speak TLS: it may be the one for mqtt or ws',
    );
  });

  test('TLS behind mqtt', async () => {
    const listener = await startListener('mqtts', files.identity('broker'));
    await expectRecovery(
      keepSession({ url: `mqtt://127.0.0.1:${listener.port}` }),
      'the broker closed the connection before CONNACK: there may be TLS at this port',
      () => listener.open('mqtt'),
    );
  });
});
