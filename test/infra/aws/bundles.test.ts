// What a cold start of the functions has to read and load: their size, and the time to import them.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { expressionLimits } from '../../../functions/expression/limits.ts';
import { bundle } from '../../../infra/bundle/bundle.ts';
import { type Program, programs } from '../../../infra/bundle/programs.ts';
import { temporaryFolder } from '../../support/brokers.ts';

/** Bytes of a module and of all that it imports statically: what is loaded before the first request. */
function loadedBytes(folder: string, file: string, seen = new Set<string>()): number {
  if (seen.has(file)) return 0;
  seen.add(file);
  const text = readFileSync(join(folder, file), 'utf8');
  const imports = [...text.matchAll(/(?:^|[;\n])(?:import|export)[^;"'()]*["']\.\/([^"']+)["']/g)];
  return imports.reduce(
    (sum, [, imported]) => sum + loadedBytes(folder, imported ?? '', seen),
    Buffer.byteLength(text),
  );
}

/** What the functions read at their start; the values do not matter here. */
const environment = {
  AWS_REGION: 'eu-central-1',
  MESSAGES_TABLE: 'messages',
  RETENTION_DAYS: '30',
  WRITE_SHARDS: '1',
  CORS_ORIGINS: '[]',
  LIMITS: '{"callerRequestsPerSecond":50}',
};

/** Runs a module in a new process: milliseconds that the process takes, and its last line. */
function run(script: string): { wallMs: number; lastLine: string } {
  const startMs = performance.now();
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['--input-type=module', '--eval', script],
    { encoding: 'utf8', env: { ...process.env, ...environment } },
  );
  if (status !== 0) throw new Error(stderr);
  return { wallMs: performance.now() - startMs, lastLine: stdout.trim().split('\n').at(-1) ?? '' };
}

const fastestOf = (measure: () => number) => Math.min(...Array.from({ length: 4 }, measure));

const functions: readonly (readonly [string, Program, number])[] = [
  ['ingest', programs.ingest, 400],
  ['api', programs.api, 600],
];

test('the thread of expressions stands beside what is shipped, and starts there', async () => {
  const folder = temporaryFolder('thread');
  await bundle(programs.bridge, { folder });
  const url = JSON.stringify(pathToFileURL(join(folder, 'expression-worker.mjs')).href);
  const data = JSON.stringify({ expressions: { where: 'true' }, limits: expressionLimits });
  const { lastLine } = run(`
    import { Worker } from 'node:worker_threads';
    const progress = new Int32Array(new SharedArrayBuffer(8));
    const thread = new Worker(new URL(${url}), { execArgv: [], workerData: { ...${data}, progress } });
    thread.once('message', ({ kind }) => { console.log(kind); thread.terminate(); });`);
  expect(lastLine).toBe('ready');
});

describe.each(functions)('%s', (name, program, maxKilobytes) => {
  const folder = temporaryFolder(name);
  const file = `${program.name}.mjs`;
  beforeAll(async () => void (await bundle(program, { folder })));

  test(`loads at most ${maxKilobytes} KB before its first request`, () => {
    const kilobytes = loadedBytes(folder, file) / 1024;
    console.log(`${name}: ${Math.round(kilobytes)} KB`);
    expect(kilobytes).toBeGreaterThan(100);
    expect(kilobytes).toBeLessThanOrEqual(maxKilobytes);
  });

  // In starts of an empty Node, because other work on the machine slows both. Alone, it takes one to two of them; of Node 24, which
  // starts in half the time, four.
  const maxStarts = Number.parseInt(process.versions.node, 10) < 24 ? 4 : 7;
  test(`is loaded in less than ${maxStarts} times the start of Node`, () => {
    const url = JSON.stringify(pathToFileURL(join(folder, file)).href);
    const script = `const start = performance.now(); await import(${url}); console.log(performance.now() - start);`;
    const loadMs = fastestOf(() => Number(run(script).lastLine));
    const startMs = fastestOf(() => run('0').wallMs);
    console.log(
      `${name}: loaded in ${Math.round(loadMs)} ms; Node starts in ${Math.round(startMs)} ms`,
    );
    expect(loadMs / startMs).toBeLessThan(maxStarts);
  });
});
