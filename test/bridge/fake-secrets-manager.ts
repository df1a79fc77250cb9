// Secrets Manager's GetSecretValue over HTTP, as far as the SDK needs it.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { onTestFinished } from 'vitest';

export interface FakeSecretsManager {
  readonly url: string;
  readonly client: SecretsManagerClient;
  /** By name; null cannot be read. */
  readonly values: Map<string, string | null>;
  /** Names that were asked for. */
  readonly reads: string[];
}

export async function startFakeSecretsManager(
  values: Record<string, string | null>,
): Promise<FakeSecretsManager> {
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    const { SecretId: name } = JSON.parse(text) as { SecretId: string };
    fake.reads.push(name);
    const value = fake.values.get(name);
    response.setHeader('content-type', 'application/x-amz-json-1.1');
    response.statusCode = typeof value === 'string' ? 200 : 400;
    response.end(
      JSON.stringify(
        typeof value === 'string'
          ? { Name: name, SecretString: value }
          : { __type: 'ResourceNotFoundException', message: 'there is no such secret' },
      ),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = new SecretsManagerClient({
    endpoint: url,
    region: 'local',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  const fake: FakeSecretsManager = {
    url,
    client,
    values: new Map(Object.entries(values)),
    reads: [],
  };
  onTestFinished(() => {
    client.destroy();
    server.close();
    server.closeAllConnections();
  });
  return fake;
}
