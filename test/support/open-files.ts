// How many files a process may have open, taken down to those that it has: the next one is too many.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { onTestFinished } from 'vitest';

/** Whether the limit of another process can be set. */
export const canLimitOpenFiles =
  process.platform === 'linux' && spawnSync('prlimit', ['--version']).status === 0;

/** Lets another process of this user open no more files, until it is undone or the test ends. */
export function allowNoMoreFiles(pid: number): { undo(): void } {
  const before = prlimit(pid, '--nofile', '--output', 'SOFT', '--noheadings').trim();
  let firstFree = 0;
  while (existsSync(`/proc/${pid}/fd/${firstFree}`)) firstFree++;
  prlimit(pid, `--nofile=${firstFree}:`);
  const undo = () => {
    if (existsSync(`/proc/${pid}`)) prlimit(pid, `--nofile=${before}:`);
  };
  onTestFinished(undo);
  return { undo };
}

function prlimit(pid: number, ...options: string[]): string {
  const { status, stdout, stderr } = spawnSync('prlimit', ['--pid', String(pid), ...options], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`prlimit: ${stderr}`);
  return stdout;
}
