// The port that others use: HTTPS with the certificate of files, also with a renewed one, and faults that name the setting.
import { copyFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { Hono } from 'hono';
import { pino } from 'pino';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { openPublicPort } from '../../../infra/local/public-port.ts';
import { temporaryFolder } from '../../support/brokers.ts';
import { until } from '../../support/wait.ts';
import { certificatesIn } from '../broker/certificates.ts';

const log = pino({ level: 'silent' });
const app = new Hono().get('/', (context) => context.text(new URL(context.req.url).protocol));
const folder = temporaryFolder('public-port');
const certificates = certificatesIn(folder);
const [certFile, keyFile] = [join(folder, 'live.pem'), join(folder, 'live-key.pem')];
const settings = { HOST: '127.0.0.1', PORT: 0, TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile };

function install(name: string): void {
  copyFileSync(certificates.pem(`${name}-key`), keyFile);
  copyFileSync(certificates.pem(name), certFile);
}

/** Name in the certificate that is shown, and the body. */
function ask(url: string): Promise<[name: string, body: string]> {
  return new Promise((resolve, reject) => {
    const asking = request(url, { rejectUnauthorized: false, agent: false }, (response) => {
      const socket = response.socket as import('node:tls').TLSSocket;
      const name = String(socket.getPeerCertificate().subject.CN);
      let body = '';
      response.on('data', (chunk) => (body += chunk)).on('end', () => resolve([name, body]));
    });
    asking.on('error', reject).end();
  });
}

describe('with a certificate', () => {
  beforeAll(() => {
    certificates.make('first');
    certificates.make('second');
    install('first');
  });

  test('it serves HTTPS, and a renewed certificate from then on', async () => {
    const { url, close } = await openPublicPort(app, settings, log);
    onTestFinished(close);
    expect(await ask(url)).toEqual(['first', 'https:']);
    install('second');
    await until(async () => (await ask(url))[0] === 'second');
    // Cut off while it is being copied: the one before holds.
    writeFileSync(certFile, '-----BEGIN CERTIFICATE-----\n');
    expect(await ask(url)).toEqual(['second', 'https:']);
  });

  test.each([
    ['TLS_CERT_FILE', { TLS_CERT_FILE: join(folder, 'none.pem') }],
    ['TLS_CERT_FILE', { TLS_KEY_FILE: certFile }],
    ['HOST', { HOST: '192.0.2.1', TLS_CERT_FILE: undefined }],
  ])('a fault names %s', async (setting, wrong) => {
    await expect(openPublicPort(app, { ...settings, ...wrong }, log)).rejects.toThrow(
      new RegExp(`^${setting}: `),
    );
  });
});
