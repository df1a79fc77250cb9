// What all test files of a run share is started here, in vitest's own process, and ended with it.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestProject } from 'vitest/node';
import { startDynamoDbLocal } from './dynamodb-local.ts';
import { bundlePrograms } from './programs.ts';
import type { Shared } from './started-once.ts';

interface Started {
  /** Where it is. */
  readonly place: string;
  end(): Promise<void> | void;
}

const starts: Record<Shared, () => Promise<Started>> = {
  async dynamoDbLocal() {
    const { endpoint, close } = await startDynamoDbLocal();
    return { place: endpoint, end: close };
  },
  async programs() {
    const { folder, remove } = await bundlePrograms();
    return { place: folder, end: remove };
  },
};

/** vitest's globalSetup. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const started = new Map<string, Promise<Started>>();
  const server = createServer((request, response) => {
    const name = (request.url ?? '').slice(1) as Shared;
    const one = started.get(name) ?? starts[name]();
    started.set(name, one);
    one.then(
      ({ place }) => response.end(place),
      (error) => {
        // Who asks next has another try.
        started.delete(name);
        response.writeHead(500).end(String(error));
      },
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  project.provide('sharedUrl', `http://127.0.0.1:${port}`);
  project.provide('hasJava', spawnSync('java', ['-version']).error === undefined);
  return async () => {
    server.close();
    server.closeAllConnections();
    for (const one of started.values()) await (await one.catch(() => undefined))?.end();
  };
}
