// What a Dockerfile makes, made here without an image: its build run in a folder, its entry point as a command.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Built {
  /** What the image holds above its base. */
  readonly folder: string;
  /** Path of Node in the base image. */
  readonly node: string;
  /** What Node is called with. */
  readonly parameters: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

const nodeModules = fileURLToPath(new URL('../../../../node_modules', import.meta.url));
const [major = 0] = process.versions.node.split('.').map(Number);
/** Node runs TypeScript by itself since 22.18; the image's is newer. */
const typeScript = major >= 24 ? [] : ['--import', 'tsx'];

/** Builds in `folder`. Only `npm ci` is not run: the dependencies are those that are installed here. */
export function build(context: string, dockerfile: string, folder: string): Built {
  const lines = readFileSync(join(context, dockerfile), 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'));
  const built = { node: '', parameters: [] as string[], environment: {} as Record<string, string> };
  const image = (path: string) => join(folder, 'image', path);
  let stage = '';
  let workFolder = '/';
  for (const line of lines) {
    const [, instruction = '', rest = ''] = /^(\S+)\s+(.*)$/.exec(line) ?? [];
    const words = rest.startsWith('[') ? (JSON.parse(rest) as string[]) : rest.split(/\s+/);
    // A path is in the folder of its stage.
    const inStage = (path: string, of = stage) =>
      join(of === '' ? image('') : join(folder, of), path.startsWith('/') ? '' : workFolder, path);
    switch (instruction) {
      case 'FROM':
        stage = /\sAS\s+(\S+)$/.exec(rest)?.[1] ?? '';
        workFolder = '/';
        break;
      case 'WORKDIR':
        workFolder = rest;
        mkdirSync(inStage('.'), { recursive: true });
        break;
      case 'COPY': {
        const from = /^--from=(.*)$/.exec(words[0] ?? '')?.[1];
        const [to = '', ...sources] = words.slice(from === undefined ? 0 : 1).toReversed();
        for (const source of sources) {
          const path = from === undefined ? join(context, source) : inStage(source, from);
          cpSync(path, sources.length > 1 ? join(inStage(to), source) : inStage(to), {
            recursive: true,
          });
        }
        break;
      }
      case 'RUN':
        run(words, inStage('.'));
        break;
      case 'ENV':
        for (const word of words) {
          const [name = '', value = ''] = word.split(/=(.*)/s);
          built.environment[name] = value;
        }
        break;
      case 'ENTRYPOINT':
        [built.node = '', ...built.parameters] = words;
        break;
      case 'USER':
      case 'EXPOSE':
        break;
      default:
        throw new Error(`unknown instruction ${line}`);
    }
  }
  return { ...built, folder: image(workFolder) };
}

function run([command = '', ...parameters]: readonly string[], folder: string): void {
  if (command === 'npm' && parameters[0] === 'ci') {
    symlinkSync(nodeModules, join(folder, 'node_modules'));
    return;
  }
  if (command !== 'node') throw new Error(`the Dockerfile runs ${command}`);
  const { status, stderr } = spawnSync(process.execPath, [...typeScript, ...parameters], {
    cwd: folder,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
}
