// `npm run properties`: the property tests with values that nobody has tried, ten times as many as each asks for. It prints the seed, which
// PROPERTY_SEED takes to draw the same once more; other arguments go to vitest, such as the name of a file.
import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const factor = 10;
const testTimeoutMs = 120_000;

const files = readdirSync('test', { recursive: true, encoding: 'utf8' })
  .map((path) => join('test', path))
  .filter((path) => path.endsWith('.test.ts'))
  .filter((path) => readFileSync(path, 'utf8').includes('support/property.ts'));

const seed = process.env['PROPERTY_SEED'] ?? String(randomInt(2 ** 31));
const asked = process.argv.slice(2);
const { status } = spawnSync(
  'npx',
  [
    ...['vitest', 'run', `--testTimeout=${testTimeoutMs * factor}`],
    ...(asked.length > 0 ? asked : files),
  ],
  {
    stdio: 'inherit',
    env: { ...process.env, PROPERTY_SEED: seed, PROPERTY_RUNS_FACTOR: String(factor) },
  },
);
console.log(`PROPERTY_SEED=${seed} draws the same values`);
process.exitCode = status ?? 1;
