// How a program of ours becomes files without dependencies: for the container, the functions, and the tests
// that run what is shipped.
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build, buildSync } from 'esbuild';

/** A program that is shipped; `name` is that of its main file, without `.mjs`. */
export interface Program {
  readonly entry: string;
  readonly name: string;
}

const path = (relative: string) => fileURLToPath(new URL(`../${relative}`, import.meta.url));

export const programs = {
  bridge: { entry: path('bridge/main.ts'), name: 'main' },
  ingest: { entry: path('functions/ingest/lambda.ts'), name: 'index' },
  api: { entry: path('functions/api/lambda.ts'), name: 'index' },
} as const satisfies Record<string, Program>;

/** ESM output of packages that are CommonJS inside still calls `require`. */
const requireBanner =
  "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);";

/**
 * The one way to bundle: what a program imports dynamically becomes files of its own beside it. No `keepNames`:
 * it would wrap every closure that MQTT.js makes for a packet, a microsecond a message. The AWS SDK is bundled for
 * functions too: a copy without what we do not call loads faster than the whole one of Lambda's runtime, and it is
 * the version that was tested.
 */
function optionsOf({ entry, name }: Program, folder: string): BuildOptions {
  return {
    entryPoints: [{ in: entry, out: name }],
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    minify: true,
    sourcemap: 'linked',
    mainFields: ['module', 'main'],
    alias: { debug: path('infra/no-debug.cjs') },
    banner: { js: requireBanner },
    logLevel: 'warning',
  };
}

/** Bundles `entry` into `<folder>/<name>.mjs`. */
export async function bundle(
  entry: string,
  {
    folder,
    name,
    plugins = [],
  }: { folder: string; name: string; plugins?: BuildOptions['plugins'] },
): Promise<void> {
  await build({
    ...optionsOf({ entry, name }, folder),
    ...(plugins !== undefined && { plugins }),
  });
}

/** As {@link bundle}, for the CDK, where everything happens in constructors. */
export function bundleSync(program: Program, folder: string): void {
  buildSync(optionsOf(program, folder));
}
