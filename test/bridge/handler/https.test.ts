// Handlers over TLS: a certificate that is not trusted, or is somebody else's, gets no message.
import { execFile } from 'node:child_process';
import { createServer } from 'node:https';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { listenDuringTest } from '../../support/listen-during-test.ts';
import { programFile } from '../../support/started-once.ts';
import { CertificateFiles } from '../connection/certificate-files.ts';

test('a message goes to whom the certificate of the URL’s name belongs', async () => {
  const files = new CertificateFiles();
  await files.make('authority');
  await files.make('handler', { issuer: 'authority', subjectAltName: 'DNS:handler.example.com' });
  const hosts: unknown[] = [];
  const server = createServer(files.identity('handler'), (request, response) => {
    hosts.push(request.headers.host);
    request.resume();
    response.writeHead(204).end();
  });
  const port = await listenDuringTest(server);

  async function attemptsOf(environment: Record<string, string>): Promise<unknown[]> {
    const urls = ['handler', 'other'].map((name) => `https://${name}.example.com:${port}/`);
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [await programFile('https-sender'), ...urls],
      { env: { ...process.env, ...environment } },
    );
    return stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  }
  const held = (reason: RegExp) => ({
    verdict: { kind: 'hold', reason: expect.stringMatching(reason) },
  });
  expect(await attemptsOf({})).toMatchObject([held(/certificate/), held(/certificate/)]);
  expect(hosts).toEqual([]);
  expect(await attemptsOf({ NODE_EXTRA_CA_CERTS: files.path('authority') })).toMatchObject([
    { status: 204, verdict: { kind: 'answered' } },
    held(/other\.example\.com/),
  ]);
  expect(hosts).toEqual([`handler.example.com:${port}`]);
});
