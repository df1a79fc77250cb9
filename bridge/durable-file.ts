// A file that is whole and on the disk when the write has resolved, also when the process or the machine dies meanwhile.
import { mkdir, open, rename } from 'node:fs/promises';
import { join } from 'node:path';

/** Puts `<folder>/<name>`, in the place of what is there; the folder is made where it is missing. One at a time. */
export async function writeDurably(folder: string, name: string, text: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, name);
  const file = await open(`${path}.part`, 'w');
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.part`, path);
  // The name is an entry of the folder.
  const directory = await open(folder, 'r');
  await directory.sync().finally(() => directory.close());
}
