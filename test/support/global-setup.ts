// What all test files of a run share is started here, in vitest's own process, and ended with it.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
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

const runFolderPrefix = 'causeway-run-';

/**
 * Makes one folder for whatever this run, and all that it starts, keep in the folder for temporary files. What a worker
 * leaves that is killed goes with it. Resolves with how to remove it.
 */
function openRunFolder(): () => void {
  const before = tmpdir();
  // Each project of the run is set up, and the first one has made it.
  if (basename(before).startsWith(runFolderPrefix)) return () => {};
  const folder = mkdtempSync(join(before, runFolderPrefix));
  // As root, mosquitto drops to a user of its own, who has to get to its folder in it.
  chmodSync(folder, 0o777);
  process.env['TMPDIR'] = folder;
  return () => rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}

/** vitest's globalSetup. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const removeRunFolder = openRunFolder();
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
    removeRunFolder();
  };
}
