// `npm run build`: the bundles of the container and of the functions, each one file without dependencies.
import { rmSync, statSync } from 'node:fs';
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

const bundles = {
  'bridge/main.ts': 'dist/bridge/main.mjs',
  'functions/ingest/lambda.ts': 'dist/functions/ingest/index.mjs',
  'functions/api/lambda.ts': 'dist/functions/api/index.mjs',
};

rmSync('dist', { recursive: true, force: true });
for (const [entry, outfile] of Object.entries(bundles)) {
  await build({ ...shared, entryPoints: [entry], outfile });
  console.log(`${outfile}  ${Math.round(statSync(outfile).size / 1024)} KB`);
}
