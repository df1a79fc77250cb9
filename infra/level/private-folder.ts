// Folders that nobody but this user may look into: messages, and what opens the database, lie in them.
import { chmodSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** What LevelDB keeps in its folder. */
export const levelDbNames = /^(CURRENT|LOCK|LOG(\.old)?|MANIFEST-\d+|\d+\.(log|ldb|sst|dbtmp))$/;

/**
 * Makes the folder where it is missing, and takes the rights of others from it and from what is in it by one of our
 * names, older versions' files too. A folder with anything else in it, such as /tmp, keeps its mode. Throws where it
 * is another user's. New files follow the umask of the process, see {@link privateUmask}.
 */
export function makePrivate(folder: string, ours: RegExp): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  let othersToo = false;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (!ours.test(entry.name)) othersToo = true;
    else if (entry.isFile()) close(join(folder, entry.name), 0o600);
    else if (entry.isDirectory()) close(join(folder, entry.name), 0o700);
  }
  if (!othersToo) close(folder, 0o700);
}

/** Files that this process makes from now on are for this user alone; for composition roots. */
export function privateUmask(): void {
  process.umask(0o077);
}

function close(path: string, mode: number): void {
  try {
    chmodSync(path, mode);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    // LevelDB of another process has deleted it meanwhile; who has the folder is found out later.
    if (code === 'ENOENT') return;
    throw new Error(`${path}: cannot be kept from other users (${code}): it is another user's`, {
      cause: error,
    });
  }
}
