// `npm run build`: the bundles of the container and of the functions in dist/. With names of programs, only those.
import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { bundle, programs } from './bundle.ts';

const names = process.argv.slice(2);
const unknown = names.filter((name) => !Object.hasOwn(programs, name));
if (unknown.length > 0) {
  console.error(`unknown: ${unknown.join(', ')}; there are ${Object.keys(programs).join(', ')}`);
  process.exit(1);
}

const folders = {
  bridge: 'dist/bridge',
  ingest: 'dist/functions/ingest',
  api: 'dist/functions/api',
} as const satisfies Record<keyof typeof programs, string>;

for (const [program, folder] of Object.entries(folders)) {
  if (names.length > 0 && !names.includes(program)) continue;
  const { entry, name } = programs[program as keyof typeof programs];
  rmSync(folder, { recursive: true, force: true });
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
