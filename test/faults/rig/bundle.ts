// Bundles of the bridge for child processes: the real one, and one that is wrong on purpose.
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Plugin } from 'esbuild';
import { bundle } from '../../../infra/bundle/bundle.ts';
import { programs } from '../../../infra/bundle/programs.ts';

/** `wrong` acknowledges a message on receipt instead of when it is stored. */
export type BridgeKind = 'right' | 'wrong';

/** What makes the bridge wrong: a PUBACK is due as soon as a message has been taken, whether it is settled or not. */
const replacements = {
  'session.ts': [
    'received.connection.lastArrivalMs = received.arrivedMs;',
    'received.connection.lastArrivalMs = received.arrivedMs; this.#scheduleFlush(received.connection);',
  ],
  'window.ts': ['?.settled === true) count++', ') count++'],
} as const;

export type ReplacedFile = keyof typeof replacements;

export const replacedFiles = Object.keys(replacements) as ReplacedFile[];

/** The text of a file of `bridge/session/`, made wrong. Throws where the text is no longer what it was. */
export function acknowledgeOnReceipt(file: ReplacedFile, source: string): string {
  const [right, wrong] = replacements[file];
  if (source.split(right).length !== 2)
    throw new Error(`bridge/session/${file} must contain exactly once: ${right}`);
  return source.replace(right, wrong);
}

const wrongSession: Plugin = {
  name: 'acknowledge on receipt',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]bridge[\\/]session[\\/](session|window)\.ts$/ }, async ({ path }) => ({
      contents: acknowledgeOnReceipt(basename(path) as ReplacedFile, await readFile(path, 'utf8')),
      loader: 'ts',
    }));
  },
};

/** Builds the bridge as `npm run build` does, into `folder`; resolves with the path of the bundle. */
export async function buildBridge(kind: BridgeKind, folder: string): Promise<string> {
  const name = `bridge-${kind}`;
  const plugins = kind === 'wrong' ? [wrongSession] : [];
  await bundle({ ...programs.bridge, name }, { folder, plugins });
  return join(folder, `${name}.mjs`);
}
