// `npm run build`: what the package has in dist/. With names of programs, only their bundles.
import { cpSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';
import { bundle } from '../bundle/bundle.ts';
import { buildConstruct } from '../bundle/construct.ts';
import { licencesOf } from '../bundle/licences.ts';
import { type Program, programs, root } from '../bundle/programs.ts';

const names = process.argv.slice(2);
const unknown = names.filter((name) => !Object.hasOwn(programs, name));
if (unknown.length > 0) {
  console.error(`unknown: ${unknown.join(', ')}; there are ${Object.keys(programs).join(', ')}`);
  process.exit(1);
}

const metafiles: Metafile[] = [];
for (const [name, program] of Object.entries(programs))
  if (names.length === 0 || names.includes(name)) metafiles.push(...(await buildProgram(program)));
if (names.length === 0) {
  metafiles.push(await buildConstruct());
  writeFileSync(join(root, 'dist/LICENSES.txt'), licencesOf(metafiles));
}

async function buildProgram(program: Program): Promise<Metafile[]> {
  const folder = join(root, program.folder);
  rmSync(folder, { recursive: true, force: true });
  const made = await bundle(program, { folder });
  // The image is built from the folder alone.
  if (program === programs.bridge)
    cpSync(join(root, 'bridge/Dockerfile'), join(folder, 'Dockerfile'));
  tellSizes(program, folder);
  return made;
}

function tellSizes({ name, folder: shown }: Program, folder: string): void {
  const sizes = readdirSync(folder)
    .filter((file) => file.endsWith('.mjs'))
    .map((file) => ({ file, bytes: statSync(join(folder, file)).size }));
  const total = sizes.reduce((sum, { bytes }) => sum + bytes, 0);
  const main = sizes.find(({ file }) => file === `${name}.mjs`)?.bytes ?? 0;
  const kilobytes = (bytes: number) => `${Math.round(bytes / 1024)} KB`;
  console.log(
    `${shown}/${name}.mjs  ${kilobytes(main)}, with what it loads on demand ${kilobytes(total)}`,
  );
}
