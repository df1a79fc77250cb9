// `npm run build`: the bundles of the container and of the functions, each one file without dependencies.
import { readdirSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type BuildOptions, build } from 'esbuild';

/** ESM output of packages that are CommonJS inside still calls `require`. */
const requireBanner =
  "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);";

const shared: BuildOptions = {
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  minify: true,
  sourcemap: 'linked',
  mainFields: ['module', 'main'],
  banner: { js: requireBanner },
  logLevel: 'warning',
};

/** Output name → entry. What an entry imports dynamically becomes a file of its own beside it. */
const bundles = {
  'dist/bridge/main': 'bridge/main.ts',
  'dist/functions/ingest/index': 'functions/ingest/lambda.ts',
  'dist/functions/api/index': 'functions/api/lambda.ts',
};

rmSync('dist', { recursive: true, force: true });
for (const [name, entry] of Object.entries(bundles)) {
  const outdir = dirname(name);
  await build({
    ...shared,
    entryPoints: [{ in: entry, out: basename(name) }],
    outdir,
    splitting: true,
    outExtension: { '.js': '.mjs' },
  });
  for (const file of readdirSync(outdir).filter((path) => path.endsWith('.mjs'))) {
    console.log(`${outdir}/${file}  ${Math.round(statSync(join(outdir, file)).size / 1024)} KB`);
  }
}
