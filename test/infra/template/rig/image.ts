// What a Dockerfile makes, made here without an image: its files in a folder, its entry point as a command.
import { copyFileSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Built {
  /** What the image holds above its base. */
  readonly folder: string;
  /** Path of Node in the base image. */
  readonly node: string;
  /** What Node is called with. */
  readonly parameters: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

interface Instruction {
  readonly line: string;
  readonly name: string;
  readonly rest: string;
  readonly words: readonly string[];
}

/** The instructions of a Dockerfile, without comments. */
export function instructionsOf(file: string): Instruction[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, name = '', rest = ''] = /^(\S+)\s+(.*)$/.exec(line) ?? [];
      const words = rest.startsWith('[') ? (JSON.parse(rest) as string[]) : rest.split(/\s+/);
      return { line, name, rest, words };
    });
}

/** The variables that the words of an ENV set. */
export function variablesOf(words: readonly string[]): Record<string, string> {
  return Object.fromEntries(words.map((word) => word.split(/=(.*)/s) as [string, string]));
}

/** Builds in `folder`. */
export function build(context: string, dockerfile: string, folder: string): Built {
  const built = { node: '', parameters: [] as string[], environment: {} as Record<string, string> };
  let workFolder = '/';
  const inImage = (path: string) => join(folder, path.startsWith('/') ? '' : workFolder, path);
  for (const { line, name, rest, words } of instructionsOf(join(context, dockerfile))) {
    switch (name) {
      case 'WORKDIR':
        workFolder = rest;
        mkdirSync(inImage('.'), { recursive: true });
        break;
      case 'COPY': {
        const to = words.at(-1) ?? '';
        for (const pattern of words.slice(0, -1))
          for (const file of matching(context, pattern))
            copyFileSync(join(context, file), join(inImage(to), file));
        break;
      }
      case 'ENV':
        Object.assign(built.environment, variablesOf(words));
        break;
      case 'ENTRYPOINT':
        [built.node = '', ...built.parameters] = words;
        break;
      case 'FROM':
      case 'USER':
      case 'EXPOSE':
        break;
      default:
        throw new Error(`unknown instruction ${line}`);
    }
  }
  return { ...built, folder: inImage('.') };
}

/** Files of a folder that are meant by a name, or by `*` and how names end. */
function matching(folder: string, pattern: string): string[] {
  const files = readdirSync(folder).filter((file) =>
    pattern.startsWith('*') ? file.endsWith(pattern.slice(1)) : file === pattern,
  );
  if (files.length === 0) throw new Error(`COPY finds no ${pattern} in ${folder}`);
  return files;
}
