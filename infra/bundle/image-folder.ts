// The folder that the image of all parts is built from: the bundle of the commands, what stays outside of it, and the
// Dockerfile. It is the same for every kind of machine.
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundle } from './bundle.ts';
import { licencesOf } from './licences.ts';
import { programs, root } from './programs.ts';

/** The package with a library for each kind of machine; the console is built already, and esbuild not needed. */
const outside = 'classic-level';

/** Writes it, in place of what was there. Resolves with its path. */
export async function writeImageFolder(): Promise<string> {
  const folder = join(root, 'dist/image');
  rmSync(folder, { recursive: true, force: true });
  const app = join(folder, 'app');
  const metafiles = await bundle(programs.cli, { folder: app });
  writeFileSync(join(app, 'LICENSES.txt'), licencesOf(metafiles));
  for (const name of withDependencies(outside))
    cpSync(join(root, 'node_modules', name), join(app, 'node_modules', name), { recursive: true });
  // Of another owner in the image, who may write there.
  mkdirSync(join(folder, 'data'), { mode: 0o700 });
  cpSync(join(root, 'infra/local/Dockerfile'), join(folder, 'Dockerfile'));
  return folder;
}

/** The package and all that it needs, as npm has put them side by side. */
function withDependencies(name: string, found = new Set<string>()): Set<string> {
  if (found.has(name)) return found;
  found.add(name);
  const { dependencies = {} }: { dependencies?: Record<string, string> } = JSON.parse(
    readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8'),
  );
  for (const needed of Object.keys(dependencies)) withDependencies(needed, found);
  return found;
}
