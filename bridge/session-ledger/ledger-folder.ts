// The session ledger in a file, for a bridge without leases: there is one, and all sessions are its own.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { writeDurably } from '../base/durable-file.ts';
import { parseDeployment, parseEntry, type SessionEntry } from './entry.ts';
import type { LedgerStore } from './ledger-store.ts';

/** Each as JSON text of its own, so that one that makes no sense takes no other with it. */
const fileSchema = z.object({
  deployment: z.string().optional(),
  sessions: z.record(z.string(), z.string()),
});

type File = z.output<typeof fileSchema>;

/** `folder` is made with the first session; the file is named after the client id prefix. */
export function folderLedger(folder: string, clientIdPrefix: string): LedgerStore {
  const name = `${clientIdPrefix}.json`;
  let known: File | undefined;
  /** One use at a time. */
  let using: Promise<unknown> = Promise.resolve();

  function inTurn<T>(use: (file: File) => Promise<T>): Promise<T> {
    const used = using.then(async () => {
      known ??= await readLedgerFile(join(folder, name));
      return use(known);
    });
    using = used.catch(() => {});
    return used;
  }

  async function write(file: File): Promise<void> {
    // In memory only once it is on the disk: what could not be written is not known.
    await writeDurably(folder, name, `${JSON.stringify(file)}\n`);
    known = file;
  }

  return {
    isShared: false,
    list: () =>
      inTurn(async ({ sessions }) =>
        Object.values(sessions).flatMap((text): SessionEntry[] => {
          const entry = parseEntry(text);
          return entry === undefined ? [] : [entry];
        }),
      ),
    read: (clientId) => inTurn(async ({ sessions }) => parseEntry(sessions[clientId] ?? '')),
    put: (entry) =>
      inTurn((file) =>
        write({
          ...file,
          sessions: { ...file.sessions, [entry.clientId]: JSON.stringify(entry) },
        }),
      ),
    remove: (clientId) =>
      inTurn((file) => {
        const { [clientId]: _, ...sessions } = file.sessions;
        return write({ ...file, sessions });
      }),
    readDeployment: () => inTurn(async ({ deployment }) => parseDeployment(deployment ?? '')),
    replaceDeployment: (deployment) =>
      inTurn(async (file) => {
        await write({ ...file, deployment: JSON.stringify(deployment) });
        return true;
      }),
  };
}

async function readLedgerFile(path: string): Promise<File> {
  const empty: File = { sessions: {} };
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return empty;
  try {
    return fileSchema.safeParse(JSON.parse(text)).data ?? empty;
  } catch {
    return empty;
  }
}
