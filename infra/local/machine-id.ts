// The id of this machine in client ids at a broker of others: kept in DATA_DIR, as a container's host name changes.
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeDurably } from '../../bridge/base/durable-file.ts';

const fileName = 'machine-id';
const form = /^[0-9a-f]{8}$/;

/** Made where there is none. Rejects where the folder cannot be used, or the file holds something else. */
export async function machineIdIn(folder: string): Promise<string> {
  const path = join(folder, fileName);
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) {
    const made = randomBytes(4).toString('hex');
    await writeDurably(folder, fileName, `${made}\n`);
    return made;
  }
  const id = text.trim();
  // Another one would leave this machine's sessions at the broker.
  if (!form.test(id))
    throw new Error(`${path} must hold 8 hexadecimal digits; without the file another id is made`);
  return id;
}

/** The config's prefix, or its beginning: a prefix has 40 characters at most. */
export function localPrefix(clientIdPrefix: string, machineId: string): string {
  return `${clientIdPrefix.slice(0, 25)}-local-${machineId}`;
}
