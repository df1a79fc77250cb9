// Bundles of the bridge for child processes: the real one, and one that is wrong on purpose.
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Plugin } from 'esbuild';
import { bundle } from '../../../infra/bundle.ts';

/** `wrong` acknowledges a message on receipt instead of when it is stored. */
export type BridgeKind = 'right' | 'wrong';

/**
 * What makes the bridge wrong: MQTT.js sends its own PUBACK as soon as a message has been taken, and the one
 * that is due when the message is stored is not written.
 */
const replacements = {
  'session.ts': ['(done as (error: Error) => void)(withheld);', 'void withheld; done();'],
  'inbound.ts': ['this.#client.stream.write(bytes);', 'void bytes;'],
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
    onLoad({ filter: /[\\/]bridge[\\/]session[\\/](session|inbound)\.ts$/ }, async ({ path }) => ({
      contents: acknowledgeOnReceipt(basename(path) as ReplacedFile, await readFile(path, 'utf8')),
      loader: 'ts',
    }));
  },
};

/** Builds the bridge as `npm run build` does, into `folder`; resolves with the path of the bundle. */
export async function buildBridge(kind: BridgeKind, folder: string): Promise<string> {
  const name = `bridge-${kind}`;
  await bundle('bridge/main.ts', { folder, name, plugins: kind === 'wrong' ? [wrongSession] : [] });
  return join(folder, `${name}.mjs`);
}
