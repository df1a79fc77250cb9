// `npm run build`: the bundles of the container and of the functions.
import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { bundle } from './bundle.ts';

const programs = [
  { entry: 'bridge/main.ts', folder: 'dist/bridge', name: 'main' },
  { entry: 'functions/ingest/lambda.ts', folder: 'dist/functions/ingest', name: 'index' },
  { entry: 'functions/api/lambda.ts', folder: 'dist/functions/api', name: 'index' },
];

rmSync('dist', { recursive: true, force: true });
for (const { entry, folder, name } of programs) {
  await bundle(entry, { folder, name });
  const sizes = readdirSync(folder)
    .filter((file) => file.endsWith('.mjs'))
    .map((file) => ({ file, bytes: statSync(join(folder, file)).size }));
  const total = sizes.reduce((sum, { bytes }) => sum + bytes, 0);
  const main = sizes.find(({ file }) => file === `${name}.mjs`)?.bytes ?? 0;
  const kilobytes = (bytes: number) => `${Math.round(bytes / 1024)} KB`;
  console.log(
    `${folder}/${name}.mjs  ${kilobytes(main)}, with what it loads on demand ${kilobytes(total)}`,
  );
}
