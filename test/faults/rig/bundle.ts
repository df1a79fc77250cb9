// Bundles of the bridge for child processes: the real one, and one that is wrong on purpose.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Plugin } from 'esbuild';
import { bundle } from '../../../infra/bundle.ts';

/** `wrong` acknowledges a message on receipt instead of when it is stored. */
export type BridgeKind = 'right' | 'wrong';

/**
 * What makes the bridge wrong: MQTT.js sends its own PUBACK as soon as a message has been taken, and the one
 * that is due when the message is stored is not written.
 */
const replacements = [
  ['(done as (error: Error) => void)(withheld);', 'void withheld; done();'],
  ['connection.client.stream.write(bytes);', 'void bytes;'],
] as const;

/** The text of `bridge/session/session.ts`, made wrong. Throws where the text is no longer what it was. */
export function acknowledgeOnReceipt(source: string): string {
  return replacements.reduce((text, [right, wrong]) => {
    if (text.split(right).length !== 2)
      throw new Error(`bridge/session/session.ts must contain exactly once: ${right}`);
    return text.replace(right, wrong);
  }, source);
}

const wrongSession: Plugin = {
  name: 'acknowledge on receipt',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]bridge[\\/]session[\\/]session\.ts$/ }, async ({ path }) => ({
      contents: acknowledgeOnReceipt(await readFile(path, 'utf8')),
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
