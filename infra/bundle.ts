// How a program of ours becomes files without dependencies: for the container, the functions, and the tests
// that run what is shipped.
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build } from 'esbuild';

/** ESM output of packages that are CommonJS inside still calls `require`. */
const requireBanner =
  "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);";

/**
 * Bundles `entry` into `<folder>/<name>.mjs`; what it imports dynamically becomes files of its own beside it.
 * No `keepNames`: it would wrap every closure that MQTT.js makes for a packet, a microsecond a message.
 */
export async function bundle(
  entry: string,
  {
    folder,
    name,
    plugins = [],
  }: { folder: string; name: string; plugins?: BuildOptions['plugins'] },
): Promise<void> {
  await build({
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
    alias: { debug: fileURLToPath(new URL('no-debug.cjs', import.meta.url)) },
    banner: { js: requireBanner },
    logLevel: 'warning',
    ...(plugins !== undefined && { plugins }),
  });
}
