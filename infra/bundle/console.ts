// The console as files for a browser: scripts and styles under names that change with their content, and the page that
// names them.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type BuildOptions, type BuildResult, build, type Metafile } from 'esbuild';
import { root } from './programs.ts';

const source = join(root, 'functions/console');

/** In the folder of a program that serves the console, the folder with its files. */
export const consoleFolder = 'console';

const options = {
  absWorkingDir: source,
  entryPoints: [
    { in: 'main.tsx', out: 'main' },
    { in: 'theme.ts', out: 'theme' },
    { in: 'docs/docs.ts', out: 'docs' },
    { in: 'styles/console.css', out: 'console' },
    { in: 'icon.svg', out: 'icon' },
  ],
  outdir: 'assets',
  entryNames: '[name]-[hash]',
  bundle: true,
  // The rules of topics measure bytes of UTF-8 as Node.js does.
  inject: ['client/byte-length.ts'],
  format: 'esm',
  platform: 'browser',
  target: ['es2022', 'chrome111', 'firefox111', 'safari16.4'],
  jsx: 'automatic',
  jsxImportSource: 'preact',
  loader: { '.svg': 'copy' },
  minify: true,
  legalComments: 'none',
  metafile: true,
  write: false,
  logLevel: 'warning',
} satisfies BuildOptions;

/** The files by their name: `index.html`, and `assets/…`. */
export async function bundleConsole(): Promise<Map<string, Uint8Array>> {
  return filesOf(await build(options));
}

/** Writes them to the folder of a program; resolves with what went in. */
export async function writeConsole(programFolder: string): Promise<Metafile> {
  const result = await build(options);
  for (const [name, bytes] of filesOf(result)) {
    const path = join(programFolder, consoleFolder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
  }
  return result.metafile;
}

function filesOf({ outputFiles, metafile }: BuildResult<typeof options>): Map<string, Uint8Array> {
  const names = new Map(
    Object.entries(metafile.outputs).flatMap(([path, { entryPoint }]) =>
      entryPoint === undefined ? [] : [[entryPoint, path] as const],
    ),
  );
  const page = readFileSync(join(source, 'index.html'), 'utf8').replaceAll(
    /"\.\/([\w./]+)"/g,
    (_, entry: string) => {
      const path = names.get(entry);
      if (path === undefined) throw new Error(`index.html names ${entry}, which is not built`);
      return `"/${path}"`;
    },
  );
  return new Map([
    ['index.html', Buffer.from(page)],
    ...outputFiles.map(
      ({ path, contents }) => [`assets/${basename(path)}`, contents] as [string, Uint8Array],
    ),
  ]);
}
