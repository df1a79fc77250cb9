// The import rules of the design, each broken once to see that the check catches it.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { temporaryFolder } from './support/brokers.ts';

const forbidden = [
  ['functions/contract/api.ts', "import '../api/app.ts';"],
  ['functions/contract/hono.ts', "import 'hono';"],
  ['functions/ingest/api.ts', "import '../api/app.ts';"],
  ['functions/ingest/push/api.ts', "import '../../api/app.ts';"],
  ['functions/ingest/presence/bridge.ts', "import '../../../bridge/config.ts';"],
  ['functions/api/bridge.ts', "import '../../bridge/config.ts';"],
  ['functions/api/infra.ts', "import '../../infra/local/broker.ts';"],
  ['functions/api/mqtt.ts', "import 'mqtt';"],
  ['functions/api/messages/bridge.ts', "import '../../../bridge/config.ts';"],
  ['functions/api/messages/ingest.ts', "import '../../ingest/app.ts';"],
  ['functions/api/messages/mqtt.ts', "import 'mqtt';"],
  ['bridge/infra.ts', "import '../infra/local/broker.ts';"],
  ['bridge/api.ts', "import '../functions/api/app.ts';"],
  ['bridge/mqtt.ts', "import 'mqtt';"],
  ['bridge/commands/api.ts', "import '../../functions/api/app.ts';"],
  ['bridge/commands/mqtt.ts', "import 'mqtt';"],
  ['bridge/handler/mqtt.ts', "import 'mqtt';"],
  ['bridge/session/window.ts', "import 'mqtt';"],
  ['bridge/replays/aws.ts', "import '@aws-sdk/client-dynamodb';"],
  ['bridge/commands/aws.ts', "import '@aws-sdk/client-dynamodb';"],
  ['bridge/environment.ts', "export const x = process.env['X'];"],
  ['functions/api/environment.ts', "export const x = process.env['X'];"],
] as const;

const allowed = [
  ['functions/api/contract.ts', "import '../contract/message.ts';"],
  ['functions/api/messages/contract.ts', "import '../../contract/message.ts';"],
  ['functions/api/messages/access.ts', "import '../access/principal.ts';"],
  ['bridge/contract.ts', "import '../functions/contract/message.ts';"],
  ['bridge/session/session.ts', "import 'mqtt';"],
  ['bridge/session/inbound.ts', "import 'mqtt';"],
  ['bridge/broker/connection.ts', "import 'mqtt';"],
  ['bridge/commands/connection.ts', "import '../broker/connection.ts';"],
  ['bridge/commands/ledger.ts', "import '@aws-sdk/client-dynamodb';"],
  ['infra/local/bridge.ts', "import '../../bridge/bridge.ts';"],
] as const;

let report: string;

beforeAll(() => {
  const folder = temporaryFolder('import-rules');
  for (const name of ['biome.json', '.gitignore']) cpSync(name, join(folder, name));
  for (const [path, source] of [...forbidden, ...allowed]) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), `${source}\n`);
  }
  const biome = resolve('node_modules/.bin/biome');
  const { stdout, stderr } = spawnSync(biome, ['lint', '--max-diagnostics=none'], {
    cwd: folder,
    encoding: 'utf8',
  });
  report = stdout + stderr;
});

test.each(forbidden)('%s must not: %s', (path) => {
  expect(report).toMatch(
    new RegExp(`^${path}:\\S+ lint/style/(noRestrictedImports|noProcessEnv)`, 'm'),
  );
});

test.each(allowed)('%s may: %s', (path) => {
  expect(report).not.toContain(`${path}:`);
});
