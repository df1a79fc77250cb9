// The licences of the packages whose code is in what we ship, as each of them asks for.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';
import { root } from './programs.ts';

/** One text, with a section for each package that went into a bundle. Throws for a package without a licence. */
export function licencesOf(metafiles: readonly Metafile[]): string {
  const paths = metafiles.flatMap(({ inputs }) => Object.keys(inputs));
  const folders = new Set(paths.flatMap((path) => packageFolder.exec(path)?.[1] ?? []));
  return [...folders]
    .sort()
    .map(sectionOf)
    .join(`\n${'-'.repeat(80)}\n\n`);
}

/** The innermost folder of a package in a path, from the top of the repository. */
const packageFolder = /((?:node_modules\/(?:@[^/]+\/)?[^/]+\/)+)/;

function sectionOf(folder: string): string {
  const path = join(root, folder);
  const { name, version, license } = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'));
  if (typeof license !== 'string') throw new Error(`${folder} names no licence`);
  const texts = readdirSync(path)
    .filter((file) => /^(licen[cs]e|notice|copying)/i.test(file) && existsSync(join(path, file)))
    .map((file) => `\n${readFileSync(join(path, file), 'utf8').trim()}\n`);
  return `${name} ${version} (${license})\n${texts.join('')}`;
}
