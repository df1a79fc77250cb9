// Whether a disk can be written to again, tried by writing.
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Room that a disk has to have before the store is opened again: opening writes what the log holds, up to two buffers. */
const roomBytes = 12 * 1024 * 1024;

/** Rejects where the disk has no room, takes no writes, or the process may open no more files. */
export async function proveRoom(folder: string): Promise<void> {
  const path = join(folder, 'room.tmp');
  try {
    const file = await open(path, 'w', 0o600);
    try {
      const part = Buffer.alloc(1024 * 1024);
      for (let bytes = 0; bytes < roomBytes; bytes += part.length) await file.write(part);
      await file.sync();
    } finally {
      await file.close();
    }
  } finally {
    await rm(path, { force: true });
  }
}
