// The bundles that a synth takes its assets from, made once for a run of tests that synthesize: vitest's globalSetup.
import { spawnSync } from 'node:child_process';

export default function setup(): void {
  const programs = ['bridge', 'ingest', 'api'];
  const { status, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', 'infra/cli/build.ts', ...programs],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(stderr);
}
