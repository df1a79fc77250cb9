// The package as others have it: packed, installed into fresh apps of the CDK and into an empty folder, and used there.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import packageJson from '../../../package.json' with { type: 'json' };
import { temporaryFolder } from '../../support/brokers.ts';
import { buildImage, hasImages } from '../template/rig/container.ts';
import { createApp, install, pack, run, startCommand } from './apps.ts';

/** Compilers and synths of others, on a machine that may have much else to do. */
vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 });

let tarball: string;
const apps = { typescript: '', javascript: '' };

beforeAll(async () => {
  tarball = await pack();
  [apps.typescript, apps.javascript] = await Promise.all([
    createApp('typescript', tarball),
    createApp('javascript', tarball),
  ]);
  writeFileSync(join(apps.javascript, 'lib/javascript-stack.js'), javascriptStack);
});

/** What every app deploys here. */
const props = `{
  broker: { url: 'mqtts://mqtt.example.org:8883' },
  routes: [{ name: 'store', filter: '#' }],
}`;

const javascriptStack = `
  const { Stack } = require('aws-cdk-lib');
  const { Causeway } = require('causeway');
  class JavascriptStack extends Stack {
    constructor(scope, id, stackProps) {
      super(scope, id, stackProps);
      new Causeway(this, 'Causeway', ${props});
    }
  }
  module.exports = { JavascriptStack };`;

/** Synthesizes an app, once; resolves with the folder of what it leaves. */
async function synth(folder: string): Promise<string> {
  const out = join(folder, 'cdk.out');
  if (existsSync(out)) return out;
  expect(await run(folder, 'npx', ['cdk', 'synth', '--quiet'])).toMatchObject({ code: 0 });
  return out;
}

test('it has what is run and its types, and needs no tool and nothing that is bundled', () => {
  const folder = join(apps.javascript, 'node_modules/causeway');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  expect(files.filter((file) => /\.ts$/.test(file) && !file.endsWith('.d.ts'))).toEqual([]);
  expect(files).toEqual(
    expect.arrayContaining([
      ...['LICENSE', 'README.md', 'infra/docs/configuration.md', 'dist/LICENSES.txt'],
      ...['dist/bridge/main.mjs', 'dist/bridge/Dockerfile', 'dist/construct/causeway.js'],
    ]),
  );
  expect(Object.keys(packageJson.dependencies)).toEqual(['classic-level', 'zod']);
  const licences = readFileSync(join(folder, 'dist/LICENSES.txt'), 'utf8');
  for (const name of ['mqtt', 'hono', '@aws-sdk/client-dynamodb', 'jsonata', 'pino-pretty'])
    expect(licences).toMatch(new RegExp(`^${name} \\d`, 'm'));
});

test('a TypeScript app checks it with all its types, and synthesizes it', async () => {
  const folder = apps.typescript;
  const check = () => run(folder, 'npx', ['tsc', '--skipLibCheck', 'false']);
  const write = (given: string) =>
    writeFileSync(
      join(folder, 'lib/typescript-stack.ts'),
      `import { Stack, type StackProps } from 'aws-cdk-lib';
       import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
       import { Causeway, type CausewayConfigInput, type CausewayProps } from 'causeway';
       import { defineConfig } from 'causeway/config';
       import type { Construct } from 'constructs';
       const props: CausewayConfigInput = ${given};
       defineConfig({ broker: props.broker, routes: props.routes, stackName: 'Other' });
       export class TypescriptStack extends Stack {
         constructor(scope: Construct, id: string, stackProps?: StackProps) {
           super(scope, id, stackProps);
           const credentialsSecret = Secret.fromSecretNameV2(this, 'Secret', 'broker');
           const own: CausewayProps = { ...props, broker: { ...props.broker, credentialsSecret } };
           const days: number = new Causeway(this, 'Causeway', own).config.retentionDays;
           this.templateOptions.description = \`\${days} days\`;
         }
       }`,
    );
  write(`{ ...${props}, retentionDays: '30' }`);
  const { code, output } = await check();
  expect([code, output.match(/\bTS\d+/g)]).toEqual([expect.any(Number), ['TS2322']]);
  write(props);
  expect(await check()).toEqual({ code: 0, output: '' });
  expect(read(await synth(folder), 'TypescriptStack.template.json')).toMatchObject({
    Description: '30 days',
  });
});

test('a JavaScript app synthesizes the same with require and with import, with the same assets', async () => {
  const folder = apps.javascript;
  writeFileSync(
    join(folder, 'imported.mjs'),
    `import { App, Stack } from 'aws-cdk-lib';
     import { Causeway } from 'causeway';
     const app = new App({ outdir: 'imported.out' });
     new Causeway(new Stack(app, 'Imported'), 'Causeway', ${props});
     app.synth();`,
  );
  expect(await run(folder, 'node', ['imported.mjs'])).toMatchObject({ code: 0 });
  const required = assetsOf(await synth(folder), 'JavascriptStack');
  expect(required).toHaveLength(3);
  // By another folder or output, nothing is deployed once more.
  expect(assetsOf(join(folder, 'imported.out'), 'Imported')).toEqual(required);
  expect(assetsOf(await synth(apps.typescript), 'TypescriptStack')).toEqual(required);
});

test.skipIf(!hasImages)('the image is built from what a synth has left', async () => {
  const out = await synth(apps.javascript);
  const contexts = readdirSync(out).filter((name) => existsSync(join(out, name, 'Dockerfile')));
  expect(contexts).toHaveLength(1);
  const { id } = await buildImage(join(out, ...contexts), 'Dockerfile');
  expect(id).toMatch(/^[0-9a-f]{64}$/);
});

test('without the CDK, npx causeway start stores, and the other commands work beside it', async () => {
  const folder = temporaryFolder('installed');
  await install(folder, tarball);
  expect(readdirSync(join(folder, 'node_modules'))).not.toContain('aws-cdk-lib');
  writeFileSync(
    join(folder, 'causeway.config.mjs'),
    `import { defineConfig } from 'causeway/config';
     export default defineConfig({ ...${props}, routes: [{ name: 'kept', filter: 'rooms/#' }] });`,
  );
  const started = await startCommand(folder, 'start', {
    ports: ['PORT', 'MQTT_PORT'],
    expected: /Publish to a device/,
  });
  onTestFinished(async () => void (await started.stop()));
  const [, api = ''] = /API +(\S+),/.exec(started.output()) ?? [];
  const [, broker = ''] = /Broker +(\S+)/.exec(started.output()) ?? [];
  const made = await run(folder, 'npx', [
    ...['causeway', 'token', 'create', '--name', 'all', '--scope', 'admin', '--json'],
  ]);
  const { token } = JSON.parse(made.output);

  const { hostname, port } = new URL(broker);
  const publish = ['pub', '-h', hostname, '-p', port, '-q', '1', '-t', 'rooms/a', '-m', '1'];
  const mqtt = resolve('node_modules/.bin/mqtt');
  expect(await run(folder, mqtt, publish)).toMatchObject({ code: 0 });
  const response = await fetch(`${api}/v1/messages?topic=rooms/a`, {
    headers: { authorization: `Bearer ${token}` },
  });
  expect(await response.json()).toMatchObject({ messages: [{ topic: 'rooms/a', payload: 1 }] });
  const routes = await fetch(`${api}/v1/routes`, { headers: { authorization: `Bearer ${token}` } });
  expect(JSON.stringify(await routes.json())).toContain('"kept"');

  const replay = ['causeway', 'replay', '--dead-letters', '--dry-run', '--url', api];
  expect(await run(folder, 'npx', replay, { CAUSEWAY_TOKEN: token })).toMatchObject({ code: 0 });
  expect(await started.stop()).toBe(0);
  const alone = await startCommand(folder, 'broker', {
    ports: ['BROKER_PORT'],
    expected: /Listening on/,
  });
  expect(await alone.stop()).toBe(0);
});

function read(folder: string, file: string): Record<string, unknown> {
  return JSON.parse(readFileSync(join(folder, file), 'utf8'));
}

/** The hashes of the functions' and the image's assets; the template is an asset, too, and named otherwise in each app. */
function assetsOf(folder: string, stack: string): string[] {
  const { files, dockerImages } = read(folder, `${stack}.assets.json`) as Record<string, object>;
  const template = (asset: { source: { path: string } }) => asset.source.path.endsWith('.json');
  const functions = Object.entries(files ?? {}).filter(([, asset]) => !template(asset));
  return [...functions.map(([hash]) => hash), ...Object.keys(dockerImages ?? {})].sort();
}
