// What a deployment meets that is not AWS: a broker with TLS and users, a webhook, and the CA that signs for both.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { startMosquitto, temporaryFolder } from '../../../support/brokers.ts';
import { freePort } from '../../../support/ports.ts';
import { bodyOf } from './http.ts';
import { lambdaHost } from './identities.ts';

export interface Certificate {
  readonly certificate: string;
  readonly privateKey: string;
}

export interface World {
  /** For devices: without TLS, as `user` and `password`. */
  readonly deviceUrl: string;
  /** For the bridge: with TLS, a client certificate, and as `user` and `password`. */
  readonly brokerUrl: string;
  readonly credentials: { readonly username: string; readonly password: string };
  readonly clientCertificate: Certificate;
  /** Of every server, the hosts of AWS among them. */
  readonly serverCertificate: Certificate;
  /** PEM file of the CA, and its text. */
  readonly caFile: string;
  readonly ca: string;
  readonly webhook: Webhook;
  close(): Promise<void>;
}

export interface WebhookRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}

export interface Webhook {
  readonly url: string;
  readonly received: WebhookRequest[];
  /** What it answers; 204 at first. */
  status: number;
}

export async function startWorld(): Promise<World> {
  const folder = temporaryFolder('world');
  const file = (name: string) => join(folder, name);
  const credentials = { username: 'bridge', password: 'of-the-broker' };
  const newCertificate = (name: string, ...more: string[]): Certificate => {
    const paths = ['-keyout', file(`${name}.key`), '-out', file(`${name}.pem`)];
    const algorithm = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    const parameters = ['req', '-x509', ...algorithm, '-days', '2', '-subj', `/CN=${name}`];
    execFileSync('openssl', [...parameters, ...paths, ...more], { stdio: 'pipe' });
    // As root, mosquitto reads it as another user.
    chmodSync(file(`${name}.key`), 0o644);
    const [certificate = '', privateKey = ''] = ['pem', 'key'].map((suffix) =>
      readFileSync(file(`${name}.${suffix}`), 'utf8'),
    );
    return { certificate, privateKey };
  };
  const ca = newCertificate('ca');
  const signedByCa = ['-CA', file('ca.pem'), '-CAkey', file('ca.key')];
  const noCa = ['-addext', 'basicConstraints=critical,CA:FALSE'];
  const names = ['-addext', `subjectAltName=DNS:localhost,IP:127.0.0.1,DNS:${lambdaHost}`];
  const server = newCertificate('localhost', ...signedByCa, ...noCa, ...names);
  const clientCertificate = newCertificate('bridge', ...signedByCa, ...noCa);

  const { username, password } = credentials;
  execFileSync('mosquitto_passwd', ['-b', '-c', file('users'), username, password]);
  chmodSync(file('users'), 0o644);
  // A caller without a name has no rights.
  writeFileSync(file('rights'), `user ${username}\ntopic readwrite #\n`);
  const tlsPort = await freePort();
  const broker = await startMosquitto({
    folder,
    settings: [
      `password_file ${file('users')}`,
      `acl_file ${file('rights')}`,
      `listener ${tlsPort} 127.0.0.1`,
      `cafile ${file('ca.pem')}`,
      `certfile ${file('localhost.pem')}`,
      `keyfile ${file('localhost.key')}`,
      'require_certificate true',
    ],
  });

  const https = createServer(
    { cert: server.certificate, key: server.privateKey },
    async (request, response) => {
      const body = (await bodyOf(request)).toString();
      const { method = '', url: target = '' } = request;
      const headers = request.headers as Record<string, string>;
      webhook.received.push({ method, target, headers, body });
      response.writeHead(webhook.status).end();
    },
  );
  https.listen(0, '127.0.0.1');
  await once(https, 'listening');
  const { port } = https.address() as AddressInfo;
  const webhook: Webhook = { url: `https://localhost:${port}/mqtt`, received: [], status: 204 };

  return {
    deviceUrl: broker.url,
    brokerUrl: `mqtts://localhost:${tlsPort}`,
    credentials,
    clientCertificate,
    serverCertificate: server,
    caFile: file('ca.pem'),
    ca: ca.certificate,
    webhook,
    async close() {
      await broker.stop();
      https.close();
      https.closeAllConnections();
    },
  };
}
