// The file by which other commands on this machine find the running stack: `npm run token` needs its database.
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';

export const runningStackSchema = z.object({ databaseUrl: z.url(), table: z.string().min(1) });

export type RunningStack = z.output<typeof runningStackSchema>;

export function stackFile(folder: string): string {
  return join(folder, 'stack.json');
}

/** Writes the file; what it resolves with takes it away again. */
export async function announceStack(
  folder: string,
  stack: RunningStack,
): Promise<() => Promise<void>> {
  await mkdir(folder, { recursive: true });
  await writeFile(stackFile(folder), `${JSON.stringify(stack)}\n`);
  return () => rm(stackFile(folder), { force: true });
}
