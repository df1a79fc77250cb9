// A handler with a private CA that asks for a client certificate, both from secrets.
import { createServer } from 'node:https';
import { pino } from 'pino';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createSecrets, minAgeMs } from '../../../bridge/base/secrets.ts';
import { listenDuringTest } from '../../support/listen-during-test.ts';
import { message } from '../../support/messages.ts';
import { CertificateFiles } from '../connection/certificate-files.ts';
import { startFakeSecretsManager } from '../fake-secrets-manager.ts';
import { openSink, type RouteInput, send } from './routes.ts';

test('its own CA alone is trusted, the client certificate is shown, and both are read again when refused', async () => {
  const files = new CertificateFiles();
  await files.make('authority');
  await files.make('handler', { issuer: 'authority' });
  await files.make('client', { issuer: 'authority' });
  await files.make('stranger');
  const clients: unknown[] = [];
  const server = createServer(
    { ...files.identity('handler'), ca: files.text('authority'), requestCert: true },
    (request, response) => {
      clients.push(
        (request.socket as import('node:tls').TLSSocket).getPeerCertificate().subject?.CN,
      );
      request.resume();
      response.writeHead(204).end();
    },
  );
  const url = `https://127.0.0.1:${await listenDuringTest(server)}/`;
  const clock = vi.spyOn(performance, 'now').mockReturnValue(0);
  onTestFinished(() => clock.mockRestore());
  const pairOf = (name: string) =>
    JSON.stringify({ certificate: files.text(name), privateKey: files.text(`${name}-key`) });
  const manager = await startFakeSecretsManager({
    ca: files.text('stranger'),
    client: pairOf('client'),
  });
  const secrets = createSecrets(pino({ level: 'silent' }), manager.client);
  const sinkWith = (route: RouteInput) => openSink({ url, format: 'raw', ...route }, { secrets });

  const held = { verdict: { kind: 'hold', reason: expect.stringMatching(/certificate/) } };
  expect(await send(await sinkWith({}), message())).toMatchObject(held);
  const sink = await sinkWith({ caSecret: 'ca', clientCertificateSecret: 'client' });
  expect(await send(sink, message())).toMatchObject(held);
  manager.values.set('ca', files.text('authority'));
  clock.mockReturnValue(minAgeMs);
  expect(await send(sink, message())).toMatchObject(held);
  expect(await send(sink, message())).toMatchObject({ status: 204 });
  // The handler asks for a certificate.
  const { status } = await send(await sinkWith({ caSecret: 'ca' }), message());
  expect([status, clients]).toEqual([undefined, ['client']]);
});
