// The quarantine: where messages go that their handler will never take. Durable before their PUBACK leaves.
// This file is the contract and the folder; quarantine-table.ts is the table.
import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { type DeadLetter, deadLetterId } from '../../functions/contract/dead-letter.ts';
import { encodeEnvelope } from '../../functions/contract/envelope.ts';
import { writeDurably } from '../durable-file.ts';

export interface Quarantine {
  /** Resolves once the dead letter is safe; rejects where it could not be kept, and may be tried again. */
  put(letter: DeadLetter): Promise<void>;
  /** How many dead letters there are; at most {@link maxCounted}. Rejects where that cannot be found out. */
  count(): Promise<number>;
}

/** Whether there are any is what matters; counting more would read all of them each time. */
export const maxCounted = 100;

/** A quarantine in a folder, for a bridge without a database: one JSON file for each dead letter. */
export function folderQuarantine(folder: string): Quarantine {
  return {
    async put(letter) {
      // Ids and times may hold any character; the hash keeps the name short, legal and the same on a retry.
      const name = createHash('sha256').update(deadLetterId(letter)).digest('hex').slice(0, 32);
      const { message, ...rest } = letter;
      const text = `{${JSON.stringify(rest).slice(1, -1)},"envelope":${encodeEnvelope(message)}}\n`;
      await writeDurably(folder, `${name}.json`, text);
    },
    async count() {
      const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
        // Made with the first dead letter.
        if (error.code === 'ENOENT') return [];
        throw error;
      });
      return Math.min(maxCounted, names.filter((name) => name.endsWith('.json')).length);
    },
  };
}
