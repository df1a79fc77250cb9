// The programs that we ship: what each is made from, and the folder of dist/ that holds what it becomes.
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The top of the repository, and of the package. This file is two folders below it, and so is `dist/construct`, where
 * the package has this code.
 */
export const root = join(import.meta.dirname, '../..');

export interface Program {
  /** Its main module, from {@link root}. */
  readonly entry: string;
  /** Name of its main file, without `.mjs`. */
  readonly name: string;
  /** From {@link root}. */
  readonly folder: string;
  /** Modules that it runs as threads, from {@link root}; they stand beside its main file. */
  readonly threads: readonly string[];
  /** Whether it serves the console, whose files are then beside its main file. Default false. */
  readonly hasConsole?: boolean;
  /** Packages that stay outside. */
  readonly external?: readonly string[];
}

const expressionThread = 'functions/expression/expression-worker.mjs';

export const programs = {
  bridge: {
    entry: 'bridge/main.ts',
    name: 'main',
    folder: 'dist/bridge',
    threads: [expressionThread],
  },
  ingest: {
    entry: 'functions/ingest/lambda.ts',
    name: 'index',
    folder: 'dist/functions/ingest',
    threads: [],
  },
  api: {
    entry: 'functions/api/lambda.ts',
    name: 'index',
    folder: 'dist/functions/api',
    threads: [expressionThread],
    hasConsole: true,
  },
  cli: {
    entry: 'infra/cli/causeway.ts',
    name: 'causeway',
    folder: 'dist/cli',
    threads: [expressionThread, 'infra/broker/access/password-worker.mjs'],
    hasConsole: true,
    // A library for each kind of machine; and what builds the console, which is built here already.
    external: ['classic-level', 'esbuild'],
  },
} as const satisfies Record<string, Program>;

/** Path of the folder with a program's bundle. Throws where it has not been made. */
export function bundleFolder({ folder }: Program): string {
  const path = join(root, folder);
  if (!existsSync(path)) throw new Error(`${path} is missing: npm run build makes it`);
  return path;
}
