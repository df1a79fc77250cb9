// The secret that requests of `--hook` are signed with: made once, and kept in DATA_DIR.
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeDurably } from '../../bridge/base/durable-file.ts';
import { webhookSecret } from '../../bridge/config/handler.ts';
import { SettingError } from './setting-error.ts';

const fileName = 'hook-secret';

export interface HookSecret {
  readonly secret: string;
  /** Where it is kept. */
  readonly path: string;
  /** Made by this start: nobody has seen it yet. */
  readonly isNew: boolean;
}

/** Rejects with a {@link SettingError} where the file holds something else. */
export async function hookSecretIn(folder: string): Promise<HookSecret> {
  const path = join(folder, fileName);
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new SettingError('DATA_DIR', `${path}: ${error.message}`);
  });
  if (text === undefined) {
    const secret = `whsec_${randomBytes(32).toString('base64')}`;
    await writeDurably(folder, fileName, `${secret}\n`);
    return { secret, path, isNew: true };
  }
  const kept = webhookSecret.safeParse(text.trim());
  if (!kept.success)
    throw new SettingError(
      'DATA_DIR',
      `${path} must hold whsec_ and base64; without the file another secret is made`,
    );
  return { secret: kept.data, path, isNew: false };
}
