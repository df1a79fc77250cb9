// The file by which other commands on this machine find the running stack: `npm run token` needs its database.
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';

export const runningStackSchema = z.object({
  /** The embedded database listens on a Unix socket, any other at a URL. */
  database: z.union([
    z.strictObject({ socket: z.string().min(1) }),
    z.strictObject({ url: z.url() }),
  ]),
  table: z.string().min(1),
});

export type RunningStack = z.output<typeof runningStackSchema>;

export function stackFile(folder: string): string {
  return join(folder, 'stack.json');
}

/** Writes the file, for this user alone; what it resolves with takes it away again. */
export async function announceStack(
  folder: string,
  stack: RunningStack,
): Promise<() => Promise<void>> {
  const file = stackFile(folder);
  // A new file: one that is there would keep its mode.
  const written = `${file}.new`;
  await rm(written, { force: true });
  await writeFile(written, `${JSON.stringify(stack)}\n`, { mode: 0o600, flag: 'wx' });
  await rename(written, file);
  return () => rm(file, { force: true });
}
