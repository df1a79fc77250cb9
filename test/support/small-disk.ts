// Disks that a test can fill, and free again, or take writing from: mounts, which only root may make.
import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { temporaryFolder } from './brokers.ts';

export const canMount = process.getuid?.() === 0 && process.platform === 'linux';

export interface SmallDisk {
  readonly folder: string;
  /** Takes so many bytes of its room. */
  fill(bytes: number): void;
  /** Gives them back. */
  free(): void;
}

/** Mounts one for the test; it goes after what the test closes later. */
export function mountSmallDisk(megabytes: number): SmallDisk {
  const folder = temporaryFolder('disk');
  mount('-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder);
  onTestFinished(() => {
    spawnSync('umount', ['-l', folder]);
  });
  const ballast = join(folder, 'ballast');
  return {
    folder,
    fill: (bytes) => writeFileSync(ballast, Buffer.alloc(bytes)),
    free: () => rmSync(ballast),
  };
}

/** Takes writing from a folder: a file that is open can still be written, no other can be opened for it. */
export function makeReadOnly(folder: string): { undo(): void } {
  mount('--bind', folder, folder);
  mount('-o', 'remount,bind,ro', folder);
  let isUndone = false;
  const undo = () => {
    if (!isUndone) spawnSync('umount', ['-l', folder]);
    isUndone = true;
  };
  onTestFinished(undo);
  return { undo };
}

function mount(...options: string[]): void {
  const { status, stderr } = spawnSync('mount', options, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`mount: ${stderr}`);
}
