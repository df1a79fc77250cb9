// How the construct becomes a part of the package: JavaScript that every CDK app can load, and its types.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, type Metafile } from 'esbuild';
import { common } from './bundle.ts';
import { root } from './programs.ts';
import { declareTypes } from './types.ts';

const folder = 'dist/construct';

/** What the package exports, from the top of the repository. */
const entries = { causeway: 'infra/package/causeway.ts', config: 'infra/package/config.ts' };

/** Packages that stay outside: the user's app has them, or they come with ours. The types may name these alone. */
const external = ['aws-cdk-lib', 'constructs', 'zod'];

/**
 * CommonJS, because apps that `cdk init` makes are, with ts-node and Jest, and because `import` takes it as well.
 * Resolves with what went in.
 */
export async function buildConstruct(): Promise<Metafile> {
  rmSync(join(root, folder), { recursive: true, force: true });
  mkdirSync(join(root, folder), { recursive: true });
  writeFileSync(join(root, folder, 'package.json'), '{ "type": "commonjs" }\n');
  const { metafile } = await build({
    ...common,
    entryPoints: entries,
    outdir: folder,
    format: 'cjs',
    // It is not minified.
    sourcemap: false,
    external,
    define: { 'import.meta.dirname': '__dirname' },
  });
  declareTypes(Object.values(entries), { folder: join(folder, 'types'), external });
  return metafile;
}
