// The image that the Dockerfile makes, built and run by podman.
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { preload, startChild } from './child.ts';
import type { RunContainer } from './task.ts';

/** For machines whose cgroups podman may not manage, as a container of a CI. */
export const podman = ['--runtime', 'runc', '--cgroup-manager', 'cgroupfs'];
/** As in the Dockerfile. Where no registry is reached, base-image.sh makes a stand-in. */
const baseImage = 'gcr.io/distroless/nodejs24-debian13:nonroot';

/** Whether images can be built here. */
export const hasImages = spawnSync('podman', ['image', 'exists', baseImage]).status === 0;

export interface Image {
  readonly id: string;
  /** What it adds to its base. */
  readonly addedBytes: number;
}

export async function buildImage(context: string, dockerfile: string): Promise<Image> {
  const { stdout } = await promisify(execFile)('podman', [
    ...podman,
    'build',
    '--quiet',
    '--isolation=chroot',
    '--pull=never',
    `--file=${context}/${dockerfile}`,
    context,
  ]);
  const id = stdout.trim();
  const bytes = (image: string) =>
    Number(execFileSync('podman', ['image', 'inspect', '--format={{.Size}}', image]));
  return { id, addedBytes: bytes(id) - bytes(baseImage) };
}

/** Runs an image as a task definition says, but for limits of CPU and memory. `files` are those that it may read. */
export function inContainer({ id }: Image, files: readonly string[]): RunContainer {
  return ({ User, ReadonlyRootFilesystem }, environment) => {
    const name = `causeway-${randomUUID()}`;
    const network = preload('network');
    const all = { ...environment, NODE_OPTIONS: `--require=${network}` };
    return {
      child: startChild(
        'podman',
        [
          ...podman,
          'run',
          '--rm',
          `--name=${name}`,
          '--network=host',
          '--cap-drop=all',
          '--ulimit=nofile=4096:4096',
          '--ulimit=nproc=4096:4096',
          `--user=${User}`,
          ...(ReadonlyRootFilesystem ? ['--read-only', '--read-only-tmpfs=false'] : []),
          ...[network, ...files].map((file) => `--volume=${file}:${file}:ro`),
          ...Object.entries(all).map(([key, value]) => `--env=${key}=${value}`),
          id,
        ],
        { environment: process.env },
      ),
      execute: (command) =>
        startChild('podman', [...podman, 'exec', name, ...command], { environment: process.env })
          .exited,
    };
  };
}
