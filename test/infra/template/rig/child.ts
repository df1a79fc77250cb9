// A program in a process of its own, with nothing of the test's environment, and what it has printed.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface Child {
  readonly process: ChildProcess;
  readonly output: () => string;
  /** Resolves with the exit code when it has ended; null after a signal. */
  readonly exited: Promise<number | null>;
}

/** Addresses of tasks, and what a process may connect to there; and its own address. */
export interface ProcessNetwork {
  readonly hosts: Readonly<Record<string, { readonly address: string; readonly ports: number[] }>>;
  /** Address of the process, and the ports that it serves there. */
  readonly own?: { readonly address: string; readonly ports: readonly number[] };
  /** Hosts of AWS, at port 443 there, with their ports on this machine. */
  readonly services?: Readonly<Record<string, number>>;
  /** Ranges of ports that it may connect to elsewhere; all, where it is absent. */
  readonly outside?: readonly (readonly [from: number, to: number])[];
}

const children = new Set<ChildProcess>();
// One that is frozen would not see that the test has gone. Vitest ends its workers by SIGTERM, which has no exit event.
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});
process.once('SIGTERM', () => process.exit());

export function startChild(
  command: string,
  parameters: readonly string[],
  { folder, environment }: { folder?: string; environment: Readonly<NodeJS.ProcessEnv> },
): Child {
  const child = spawn(command, parameters, {
    ...(folder !== undefined && { cwd: folder }),
    env: { ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.add(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => (output += chunk));
  const exited = once(child, 'close').then(([code]) => {
    children.delete(child);
    return code as number | null;
  });
  return { process: child, output: () => output, exited };
}

/** The network as a process is told of it, which reaches `url` besides: a part of AWS that is beside it in any network. */
export function networkText({ outside, ...network }: ProcessNetwork, url: string): string {
  const port = Number(new URL(url).port);
  const ranges = outside === undefined ? {} : { outside: [...outside, [port, port]] };
  return JSON.stringify({ ...network, ...ranges });
}

/** Path of a module that is loaded before a program. */
export function preload(name: 'network' | 'runtime-client'): string {
  return fileURLToPath(new URL(`preload/${name}.cjs`, import.meta.url));
}
