// Where the console's files come from on one machine.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type ConsoleFiles, readConsole } from '../../functions/api/console-files.ts';

/**
 * In the package they stand beside the program. In a clone they are built when a browser first asks: nobody's start waits
 * for it.
 */
export async function loadConsole(): Promise<ConsoleFiles> {
  const folder = fileURLToPath(new URL('console/', import.meta.url));
  if (existsSync(folder)) return readConsole(folder);
  const { bundleConsole } = await import('../bundle/console.ts');
  return bundleConsole();
}
