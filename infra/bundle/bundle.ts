// How a program of ours becomes files without dependencies: for the package, with what the container and the functions run,
// and for the tests that run what is shipped.
import { basename, join } from 'node:path';
import { type BuildOptions, build, type Metafile } from 'esbuild';
import { writeConsole } from './console.ts';
import { type Program, root } from './programs.ts';

/** ESM output of packages that are CommonJS inside still calls `require`. */
const requireBanner =
  "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);";

/** What all that we build has in common; paths are from the top of the repository, so that it is the same everywhere. */
export const common = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node20',
  sourcemap: 'linked',
  // Stack traces need positions only.
  sourcesContent: false,
  metafile: true,
  logLevel: 'warning',
} as const satisfies BuildOptions;

/**
 * The one way to bundle: what a program imports dynamically becomes files of its own beside it. No `keepNames`:
 * it would wrap every closure that MQTT.js makes for a packet, a microsecond a message. The AWS SDK is bundled for
 * functions too: a copy without what we do not call loads faster than the whole one of Lambda's runtime, and it is
 * the version that was tested. Resolves with what went in.
 */
export async function bundle(
  { entry, name, threads, hasConsole = false, external = [] }: Program,
  { folder, plugins = [] }: { readonly folder: string; readonly plugins?: BuildOptions['plugins'] },
): Promise<Metafile[]> {
  const { metafile } = await build({
    ...common,
    entryPoints: [
      { in: entry, out: name },
      ...threads.map((file) => ({ in: file, out: basename(file, '.mjs') })),
    ],
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    splitting: true,
    format: 'esm',
    minify: true,
    external: [...external],
    mainFields: ['module', 'main'],
    alias: { debug: join(root, 'infra/bundle/no-debug.cjs') },
    banner: { js: requireBanner },
    ...(plugins !== undefined && { plugins }),
  });
  return hasConsole ? [metafile, await writeConsole(folder)] : [metafile];
}
