// Which test files start nothing: no server, connection, database or child process. They need no worker of their own, and
// run in seconds (`npm run unit`). A file belongs to them by what it and the test support that it uses import.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { importsIn } from './imports.ts';

/** Who loads one of these means to start something. */
const starting = [
  /^node:(net|tls|https?|child_process|worker_threads)$/,
  /^(mqtt|ws)$/,
  /^bridge\/base\/listen\.ts$/,
  /^infra\/(aws\/|bundle\/|broker\/broker\.ts|database\/server\.ts|local\/(database|stack)\.ts)/,
];

const checked = new Map<string, boolean>();

function startsNothing(path: string): boolean {
  const known = checked.get(path);
  if (known !== undefined) return known;
  // Files that import each other are in question until all of them are read.
  checked.set(path, true);
  const nothing = importsIn(readFileSync(path, 'utf8'))
    .filter(({ isType }) => !isType)
    .map(({ specifier }) =>
      specifier.startsWith('.') ? normalize(join(dirname(path), specifier)) : specifier,
    )
    .every(
      (imported) =>
        !starting.some((name) => name.test(imported)) &&
        (!/^test\/.*\.ts$/.test(imported) || startsNothing(imported)),
    );
  checked.set(path, nothing);
  return nothing;
}

/** Paths of the test files that start nothing, from the top of the repository. */
export function unitTests(): string[] {
  return readdirSync('test', { recursive: true, encoding: 'utf8' })
    .map((path) => join('test', path))
    .filter((path) => path.endsWith('.test.ts') && startsNothing(path));
}
