// The one client of the table: bounded in time against a server that accepts calls and never answers.
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  createAuthenticate,
  createTokenAuthenticate,
} from '../../../functions/api/access/authentication.ts';
import { createTokenStore } from '../../../functions/api/access/tokens.ts';
import { createApi } from '../../../functions/api/api.ts';
import { createTableClient } from '../../../functions/table/client.ts';

let server: Server;
let attempts = 0;
beforeAll(async () => {
  server = createServer((request) => {
    attempts++;
    request.resume();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
});

const silent = () =>
  createTableClient({
    attemptTimeoutMs: 100,
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: 'local',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });

test('a call to a table that never answers ends, after four attempts', async () => {
  attempts = 0;
  const get = new GetItemCommand({ TableName: 'table', Key: { pk: { S: 'a' }, sk: { S: 'b' } } });
  await expect(silent().send(get)).rejects.toMatchObject({ name: 'TimeoutError' });
  expect(attempts).toBe(4);
});

test('a caller of the api is told so', async () => {
  const store = createTokenStore({ client: silent(), tableName: 'table' });
  const api = createApi({
    endpoints: [],
    authenticate: createAuthenticate({ tokens: createTokenAuthenticate({ store }) }),
  });
  const authorization = `Bearer causeway_0123456789abcdef_${'x'.repeat(43)}`;
  const answer = await api.request('/v1/topics', { headers: { authorization } });
  expect([answer.status, await answer.json()]).toMatchObject([
    503,
    { code: 'database-unavailable' },
  ]);
});

/** Who needs only what the SDK knows of credentials, and calls nothing. */
const withoutCalls = ['bridge/connection/aws-iot-url.ts', 'bridge/handler/aws-signing.ts'];

test('no other client is made', () => {
  const files = ['bridge', 'functions', 'infra'].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(folder, name)),
  );
  const makers = files.filter((file) => /new DynamoDBClient\(/.test(readFileSync(file, 'utf8')));
  expect(makers.sort()).toEqual([...withoutCalls, 'functions/table/client.ts']);
});
