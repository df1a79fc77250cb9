// The dead letters: where messages go that their handler will never take. Durable before their PUBACK leaves.
// This file is the contract and the folder; dead-letter-table.ts is the table.
import { createHash } from 'node:crypto';
import { readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { streamedInChunks } from '../../functions/contract/json-pieces.ts';
import { maxChunkBytes } from '../../functions/table/chunks.ts';
import {
  deadLetterId,
  envelopePieces,
  type StreamedDeadLetter,
} from '../../functions/table/dead-letter.ts';
import { writeDurably } from '../base/durable-file.ts';
import { type DeadLetterLimits, defaultDeadLetterLimits } from '../config/dead-letters.ts';

export interface DeadLetterStore {
  /**
   * Resolves once the dead letter is safe, with the id of the one that had to go for it, as its topic had too many of the
   * route; rejects where it could not be kept, and may be tried again: but for one whose payload comes in parts, of which
   * nothing is left then.
   */
  put(letter: StreamedDeadLetter): Promise<string | undefined>;
  /** How many dead letters there are; at most {@link maxCounted}. Rejects where that cannot be found out. */
  count(): Promise<number>;
}

/** Whether there are any is what matters; counting more would read all of them each time. */
export const maxCounted = 100;

/** The text of a file, in pieces that are worth a write each. */
async function* deadLetterPieces(letter: StreamedDeadLetter): AsyncGenerator<Buffer> {
  const { route, reason, attempts, quarantinedAt } = letter;
  const rest = JSON.stringify({ route, reason, attempts, quarantinedAt });
  yield Buffer.from(`{${rest.slice(1, -1)},"envelope":`);
  yield* streamedInChunks(envelopePieces(letter), maxChunkBytes);
  yield Buffer.from('}\n');
}

/** `<route and topic>-<time of receipt>-<id>.json`; those of before begin with their id, and do not expire. */
const fileName = /^([0-9a-f]{16})-(\d{15})-[0-9a-f]{32}\.json$/;

const dayMs = 86_400_000;

/**
 * A store of dead letters in a folder, for a bridge without a database: one JSON file for each dead letter. Those that have expired
 * are deleted when dead letters are counted, which is once a minute.
 */
export function folderDeadLetters(
  folder: string,
  { retentionDays, maxPerTopic }: DeadLetterLimits = defaultDeadLetterLimits,
): DeadLetterStore {
  async function names(): Promise<string[]> {
    const all = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
      // Made with the first dead letter.
      if (error.code === 'ENOENT') return [];
      throw error;
    });
    return all.filter((name) => name.endsWith('.json'));
  }

  /** Names by route and topic, oldest first: read once, as a folder of many takes a while. */
  let groups: Promise<Map<string, string[]>> | undefined;

  async function readGroups(): Promise<Map<string, string[]>> {
    const read = new Map<string, string[]>();
    for (const name of (await names()).sort()) {
      const group = fileName.exec(name)?.[1];
      if (group === undefined) continue;
      const others = read.get(group);
      if (others === undefined) read.set(group, [name]);
      else others.push(name);
    }
    return read;
  }

  /** What is gone already, as somebody deleted it by hand, stays so. */
  const remove = (name: string) => unlink(join(folder, name)).catch(() => {});

  return {
    async put(letter) {
      const { message } = letter;
      // Ids, topics and times may hold any character; hashes keep the name short, legal and the same on a retry.
      const group = hashOf(JSON.stringify([letter.route, message.topic])).slice(0, 16);
      const time = String(Date.parse(message.time)).padStart(15, '0');
      const name = `${group}-${time}-${hashOf(deadLetterId(letter)).slice(0, 32)}.json`;
      groups ??= readGroups().catch((error) => {
        groups = undefined;
        throw error;
      });
      const known = await groups;
      await writeDurably(folder, name, deadLetterPieces(letter));
      const others = known.get(group) ?? [];
      if (!others.includes(name)) others.push(name);
      known.set(group, others);
      const displaced = others.length > maxPerTopic ? others.shift() : undefined;
      if (displaced !== undefined) await remove(displaced);
      return displaced;
    },
    async count() {
      const endMs = Date.now() - retentionDays * dayMs;
      let count = 0;
      for (const name of await names()) {
        const timeMs = fileName.exec(name)?.[2];
        if (timeMs !== undefined && Number(timeMs) < endMs) await remove(name);
        else count++;
      }
      return Math.min(maxCounted, count);
    },
  };
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
