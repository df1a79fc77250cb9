// The programs that tests start as child processes. They are bundled once for a run: started through tsx, each start
// would compile the same hundreds of files again, a second and more of a processor.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

const entries = {
  bridge: 'bridge/main.ts',
  broker: 'infra/cli/broker.ts',
  replay: 'infra/cli/replay.ts',
  token: 'infra/cli/token.ts',
  start: 'infra/cli/start.ts',
  'webhook-stack-process': 'test/support/webhook-stack-process.ts',
  'https-sender': 'test/bridge/handler/https-sender.ts',
} as const;

export type ProgramName = keyof typeof entries;

/** They run as threads, from files beside the main one. */
const threads = [
  'functions/expression/expression-worker.mjs',
  'infra/broker/access/password-worker.mjs',
];

export interface BundledPrograms {
  readonly folder: string;
  remove(): void;
}

/** Bundles all of them into a folder of their own, inside the repository: the database's native part is found from there. */
export async function bundlePrograms(): Promise<BundledPrograms> {
  const cache = join('node_modules', '.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'test-programs-'));
  const named = threads.map((file) => ({ in: file, out: file.replace(/^.*\/|\.mjs$/g, '') }));
  await build({
    entryPoints: [...Object.entries(entries).map(([out, file]) => ({ in: file, out })), ...named],
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    mainFields: ['module', 'main'],
    external: ['classic-level'],
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
    logLevel: 'warning',
  });
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
