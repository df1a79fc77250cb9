// Clients that generators of four languages make of /openapi.json: each compiles, publishes, and reads what it has
// published.
import { type SpawnOptions, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../support/brokers.ts';
import { startWebhookStack } from '../../support/webhook-stack.ts';

/** The generators, as they were when this was last looked at. */
const versions = {
  python: 'openapi-python-client==0.29.1',
  oapiCodegen: 'github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2',
  ogen: 'github.com/ogen-go/ogen/cmd/ogen@v1.25.0',
  typescript: [
    'openapi-typescript@7.13.0',
    'openapi-fetch@0.17.0',
    'typescript@5.9.3',
    '@types/node@20.19.43',
  ],
} as const;

/** A generator is fetched and built, where it has not been before. */
const timeoutMs = 10 * 60_000;

const programs = fileURLToPath(new URL('programs', import.meta.url));

interface Workplace {
  readonly folder: string;
  /** Runs a program there, and gives what it prints. */
  run(program: string, ...options: string[]): Promise<string>;
}

/** Runs `use` in a folder with `openapi.json`, beside a stack, and expects its last line to tell of both calls. */
async function tryClient(name: string, use: (workplace: Workplace) => Promise<string>) {
  const stack = await startWebhookStack({ routes: [] });
  const folder = temporaryFolder(`client-${name}`);
  const topic = `clients/${name}`;
  const document = await fetch(`${stack.apiUrl}/openapi.json`);
  writeFileSync(join(folder, 'openapi.json'), await document.text());
  const env = { ...process.env, API_URL: stack.apiUrl, API_TOKEN: stack.token, TOPIC: topic };
  const printed = await use({
    folder,
    run: (program, ...options) => output(program, options, { cwd: folder, env }),
  });
  expect(JSON.parse(printed.trim().split('\n').at(-1) ?? '')).toEqual({
    status: 'sent',
    qos: 1,
    topic,
    payload: { celsius: 21.5 },
  });
}

async function output(
  program: string,
  options: readonly string[],
  where: SpawnOptions,
): Promise<string> {
  const child = spawn(program, options, { ...where, stdio: ['ignore', 'pipe', 'pipe'] });
  const printed = { out: '', error: '' };
  child.stdout?.on('data', (chunk) => (printed.out += chunk));
  child.stderr?.on('data', (chunk) => (printed.error += chunk));
  const [code] = await once(child, 'close');
  const ending = `${printed.out}${printed.error}`.slice(-4000);
  if (code !== 0) throw new Error(`${program} ${options.join(' ')}: ${code}\n${ending}`);
  return printed.out;
}

/** What a program prints; undefined where it is not there or fails. */
function printedBy(program: string, ...options: string[]): string | undefined {
  const { status, stdout } = spawnSync(program, options, { encoding: 'utf8' });
  return status === 0 ? stdout : undefined;
}

// From 1.21 on, Go fetches the younger one that a module asks for.
const hasGo = /go1\.(2[1-9]|[3-9]\d)/.test(printedBy('go', 'version') ?? '');
const hasPython = printedBy('python3', '-c', 'import venv, ensurepip') !== undefined;

describe.skipIf(!hasGo)('Go', () => {
  test('oapi-codegen', { timeout: timeoutMs }, () =>
    tryClient('oapi-codegen', async ({ folder, run }) => {
      mkdirSync(join(folder, 'causeway'));
      await run('go', 'mod', 'init', 'causeway.test/client');
      const made = ['-generate', 'types,client', '-package', 'causeway'];
      const into = ['-o', 'causeway/client.go', 'openapi.json'];
      await run('go', 'run', versions.oapiCodegen, ...made, ...into);
      return buildAndRun(folder, run, 'oapi-codegen');
    }),
  );

  test('ogen', { timeout: timeoutMs }, () =>
    tryClient('ogen', async ({ folder, run }) => {
      await run('go', 'mod', 'init', 'causeway.test/client');
      const made = ['--package', 'causeway', '--target', 'causeway', 'openapi.json'];
      await run('go', 'run', versions.ogen, ...made);
      return buildAndRun(folder, run, 'ogen');
    }),
  );

  async function buildAndRun(folder: string, run: Workplace['run'], program: string) {
    cpSync(join(programs, program, 'main.go'), join(folder, 'main.go'));
    await run('go', 'mod', 'tidy');
    await run('go', 'build', '-o', 'client', '.');
    return run('./client');
  }
});

describe.skipIf(!hasPython)('Python', () => {
  test('openapi-python-client', { timeout: timeoutMs }, () =>
    tryClient('openapi-python-client', async ({ folder, run }) => {
      await run('python3', '-m', 'venv', 'python');
      await run('python/bin/pip', 'install', '--quiet', versions.python);
      await run(
        'python/bin/openapi-python-client',
        'generate',
        '--path',
        'openapi.json',
        '--meta',
        'none',
        '--output-path',
        'causeway_client',
      );
      cpSync(join(programs, 'openapi_python_client.py'), join(folder, 'program.py'));
      return run('python/bin/python', 'program.py');
    }),
  );
});

describe('TypeScript', () => {
  test('openapi-typescript', { timeout: timeoutMs }, () =>
    tryClient('openapi-typescript', async ({ folder, run }) => {
      writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
      await run('npm', 'install', '--no-audit', '--no-fund', ...versions.typescript);
      await run('npx', 'openapi-typescript', 'openapi.json', '-o', 'causeway.d.ts');
      const program = readFileSync(join(programs, 'openapi-typescript.ts'), 'utf8');
      writeFileSync(join(folder, 'program.ts'), program.replace(/^\/\/ @ts-nocheck.*\n/m, ''));
      const checked = [
        '--strict',
        '--module',
        'nodenext',
        '--target',
        'es2022',
        '--noUncheckedIndexedAccess',
      ];
      await run('npx', 'tsc', ...checked, 'program.ts');
      return run('node', 'program.js');
    }),
  );
});
