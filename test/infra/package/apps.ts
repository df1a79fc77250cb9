// Fresh folders of a user's, with the package in them: apps as `cdk init` makes them, and what runs there.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { temporaryFolder } from '../../support/brokers.ts';
import { until } from '../../support/wait.ts';
import { startChild } from '../template/rig/child.ts';

const environment = {
  ...process.env,
  CDK_DISABLE_CLI_TELEMETRY: 'true',
  // What was downloaded once is not asked for again.
  NPM_CONFIG_PREFER_OFFLINE: 'true',
  NPM_CONFIG_AUDIT: 'false',
  NPM_CONFIG_FUND: 'false',
  NPM_CONFIG_LOGLEVEL: 'error',
  NPM_CONFIG_UPDATE_NOTIFIER: 'false',
};

export interface Ended {
  readonly code: number | null;
  readonly output: string;
}

/** Runs a program to its end. */
export async function run(
  folder: string,
  command: string,
  parameters: readonly string[],
  more: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const child = startChild(command, parameters, {
    folder,
    environment: { ...environment, ...more },
  });
  const code = await child.exited;
  return { code, output: child.output().trim() };
}

/** As {@link run}; throws where it fails. */
async function succeed(folder: string, command: string, parameters: readonly string[]) {
  const { code, output } = await run(folder, command, parameters);
  if (code !== 0) throw new Error(`${command} ${parameters.join(' ')}: ${output}`);
}

/** Packs the repository as it is; resolves with the path of the package. */
export async function pack(): Promise<string> {
  const folder = temporaryFolder('package');
  await succeed('.', 'npm', ['run', 'pack', '--', `--pack-destination=${folder}`]);
  const { name, version } = JSON.parse(readFileSync('package.json', 'utf8'));
  return join(folder, `${name}-${version}.tgz`);
}

export function install(folder: string, tarball: string): Promise<void> {
  return succeed(folder, 'npm', ['install', tarball]);
}

/**
 * An app of the CDK with the package, in a folder that is called as its language; its stack is `lib/<language>-stack`.
 * Without Jest, which takes longer than all the rest.
 */
export async function createApp(
  language: 'javascript' | 'typescript',
  tarball: string,
): Promise<string> {
  const folder = join(temporaryFolder('app'), language);
  mkdirSync(folder);
  const cdk = resolve('node_modules/.bin/cdk');
  await succeed(folder, cdk, ['init', 'app', `--language=${language}`, '--generate-only']);
  rmSync(join(folder, 'test'), { recursive: true });
  edit(folder, 'package.json', (text) => {
    const document = JSON.parse(text);
    const tools = Object.entries<string>(document.devDependencies);
    const kept = tools.filter(([name]) => !/jest|swc/.test(name));
    return JSON.stringify({ ...document, devDependencies: Object.fromEntries(kept) });
  });
  if (language === 'typescript')
    edit(folder, 'tsconfig.json', (text) => text.replace('"jest",', ''));
  await install(folder, tarball);
  return folder;
}

function edit(folder: string, file: string, change: (text: string) => string): void {
  writeFileSync(join(folder, file), change(readFileSync(join(folder, file), 'utf8')));
}

export interface Started {
  readonly output: () => string;
  /** Ends it as Ctrl-C does; resolves with its exit code. */
  stop(): Promise<number | null>;
}

/** Starts a command of the package, on free ports for these settings; resolves when it has printed what is expected. */
export async function startCommand(
  folder: string,
  command: string,
  { ports, expected }: { readonly ports: readonly string[]; readonly expected: RegExp },
): Promise<Started> {
  const program = join(folder, 'node_modules/.bin/causeway');
  const child = startChild(program, [command], {
    folder,
    environment: { ...environment, ...Object.fromEntries(ports.map((name) => [name, '0'])) },
  });
  await until(() => expected.test(child.output()) || child.process.exitCode !== null);
  if (child.process.exitCode !== null) throw new Error(child.output());
  return {
    output: child.output,
    stop() {
      child.process.kill('SIGINT');
      return child.exited;
    },
  };
}
