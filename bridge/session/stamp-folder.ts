// Times of receipt in files, for a bridge without a table: one for each session.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeDurably } from '../base/durable-file.ts';
import { parseStamps } from './receipt-clock.ts';
import type { StampStore } from './session-clock.ts';

/** `folder` is made with the first write. Names of sessions are letters, digits, - and _, and so fit for files. */
export function folderStamps(folder: string): StampStore {
  return {
    async read(name) {
      const text = await readFile(join(folder, `${name}.json`), 'utf8').catch(
        (error: NodeJS.ErrnoException) => {
          if (error.code === 'ENOENT') return undefined;
          throw error;
        },
      );
      return text === undefined ? undefined : parseStamps(text);
    },
    write: (name, stamps) => writeDurably(folder, `${name}.json`, `${JSON.stringify(stamps)}\n`),
  };
}
