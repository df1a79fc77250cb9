// A file that is whole and on the disk when the write has resolved, also when the process or the machine dies meanwhile.
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Puts `<folder>/<name>`, in the place of what is there; the folder is made where it is missing. One at a time. Of
 * content in pieces one is held at a time.
 */
export async function writeDurably(
  folder: string,
  name: string,
  content: string | AsyncIterable<Buffer>,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, name);
  const file = await open(`${path}.part`, 'w');
  try {
    for await (const piece of typeof content === 'string' ? [content] : content)
      await file.writeFile(piece);
    await file.sync();
  } catch (error) {
    await rm(`${path}.part`, { force: true }).catch(() => {});
    throw error;
  } finally {
    await file.close();
  }
  await rename(`${path}.part`, path);
  // The name is an entry of the folder.
  const directory = await open(folder, 'r');
  await directory.sync().finally(() => directory.close());
}
