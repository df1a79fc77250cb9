// The endpoint that a task on ECS has its credentials from, for tests: each call gives new ones, about to expire.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { AwsCredentials } from './aws-iot-signature.ts';

export interface CredentialsEndpoint {
  /** All that it gave. */
  readonly given: AwsCredentials[];
  /** Gives an error instead, as where the role is gone. */
  isBroken: boolean;
  close(): void;
}

/** Starts it, and has the AWS SDK of this process use it from now on. */
export async function startCredentialsEndpoint(
  onGiven: (credentials: AwsCredentials) => void,
): Promise<CredentialsEndpoint> {
  const server = createServer((_, response) => {
    if (endpoint.isBroken) {
      response.writeHead(500).end();
      return;
    }
    const credentials: AwsCredentials = {
      accessKeyId: `ASIA${randomBytes(8).toString('hex').toUpperCase()}`,
      secretAccessKey: randomBytes(20).toString('base64'),
      // Characters that have to be encoded in a URL are common in tokens.
      sessionToken: `${randomBytes(120).toString('base64')}+/==`,
    };
    endpoint.given.push(credentials);
    onGiven(credentials);
    response.setHeader('content-type', 'application/json').end(
      JSON.stringify({
        AccessKeyId: credentials.accessKeyId,
        SecretAccessKey: credentials.secretAccessKey,
        Token: credentials.sessionToken,
        Expiration: new Date(Date.now() + 1000).toISOString(),
      }),
    );
  });
  const endpoint: CredentialsEndpoint = {
    given: [],
    isBroken: false,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'])
    delete process.env[name];
  process.env['AWS_CONTAINER_CREDENTIALS_FULL_URI'] = `http://127.0.0.1:${port}/credentials`;
  return endpoint;
}
