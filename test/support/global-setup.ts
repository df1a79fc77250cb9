// What all test files of a run share: one DynamoDB Local, started when the first suite asks for it, as it takes seconds
// and 430 MB.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestProject } from 'vitest/node';
import { type DynamoDbLocal, startDynamoDbLocal } from './dynamodb-local.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Answers a GET with the endpoint of DynamoDB Local; absent where there is no Java. */
    readonly dynamoDbLocal?: string;
  }
}

/** vitest's globalSetup. */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | void> {
  if (spawnSync('java', ['-version']).error !== undefined) return undefined;
  let database: Promise<DynamoDbLocal> | undefined;
  const server = createServer((_, response) => {
    database ??= startDynamoDbLocal();
    database.then(
      ({ endpoint }) => response.end(endpoint),
      (error) => response.writeHead(500).end(String(error)),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  project.provide('dynamoDbLocal', `http://127.0.0.1:${port}`);
  return async () => {
    server.close();
    server.closeAllConnections();
    await (await database)?.close();
  };
}
