// The declarations of what we export: those that an entry leads to, and no others.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { root } from './programs.ts';

interface DeclareOptions {
  /** Where they go, from the top of the repository. */
  readonly folder: string;
  /** Packages that they may name. */
  readonly external: readonly string[];
}

/** Throws for a type of a package that the user would not have. */
export function declareTypes(
  entries: readonly string[],
  { folder, external }: DeclareOptions,
): void {
  const compiled = mkdtempSync(join(root, 'dist/types-'));
  try {
    compile(entries, compiled);
    for (const [path, text] of reachedFrom(entries, compiled, external)) {
      const target = join(root, folder, path);
      mkdirSync(dirname(target), { recursive: true });
      writeFileSync(target, text);
    }
  } finally {
    rmSync(compiled, { recursive: true, force: true });
  }
}

function compile(entries: readonly string[], outDir: string): void {
  const config = join(outDir, 'tsconfig.json');
  const compilerOptions = {
    ...{ noEmit: false, declaration: true, emitDeclarationOnly: true, incremental: false },
    ...{ tsBuildInfoFile: null, rootDir: root, outDir },
  };
  const document = {
    extends: join(root, 'tsconfig.json'),
    compilerOptions,
    include: [],
    files: entries.map((entry) => join(root, entry)),
  };
  writeFileSync(config, JSON.stringify(document));
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const { status, stdout } = spawnSync(process.execPath, [compiler, '--project', config], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stdout);
}

const imports = /(\bfrom |\bimport\()(["'])([^"']+)\2/g;

/** Declarations by their paths. */
function reachedFrom(
  entries: readonly string[],
  compiled: string,
  external: readonly string[],
): Map<string, string> {
  const reached = new Map<string, string>();
  const visit = (source: string) => {
    const path = source.replace(/\.ts$/, '.d.ts');
    if (reached.has(path)) return;
    const text = readFileSync(join(compiled, path), 'utf8');
    reached.set(path, withJsEndings(text));
    for (const [, , , specifier = ''] of text.matchAll(imports)) {
      if (specifier.startsWith('.')) visit(join(dirname(path), specifier));
      else if (!external.some((name) => specifier === name || specifier.startsWith(`${name}/`)))
        throw new Error(`${path} names a type of ${specifier}, which users of the package lack`);
    }
  };
  for (const entry of entries) visit(normalize(entry));
  return reached;
}

/** The compiler leaves our endings, and not every compiler of a user's finds `x.d.ts` by `./x.ts`. */
function withJsEndings(declarations: string): string {
  return declarations.replaceAll(imports, (all, before, quote, specifier: string) =>
    specifier.startsWith('.')
      ? `${before}${quote}${specifier.replace(/\.ts$/, '.js')}${quote}`
      : all,
  );
}
