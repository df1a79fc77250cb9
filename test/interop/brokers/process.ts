// A broker's process: started, waited for until it takes connections, and ended by its id.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { until } from '../../support/wait.ts';

export interface BrokerProcess {
  /** Resolves when it has ended. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

export interface ProcessOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** File of what it prints. */
  readonly logFile: string;
  /** It is there when these take connections. */
  readonly ports: readonly number[];
}

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Erlang takes its time on a busy machine. */
const startTimeoutMs = 60_000;

export async function startProcess(options: ProcessOptions): Promise<BrokerProcess> {
  const { command, args, environment = {}, logFile, ports } = options;
  const log = openSync(logFile, 'a');
  const child = spawn(command, [...args], {
    env: { PATH: process.env['PATH'], LANG: 'C.UTF-8', ...environment },
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  running.add(child);
  const exited = once(child, 'exit').finally(() => running.delete(child));
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  for (const port of ports)
    await until(async () => hasEnded() || (await takesConnections(port)), {
      timeoutMs: startTimeoutMs,
      what: `${command} listens on ${port}`,
    });
  if (hasEnded()) throw new Error(`${command} did not start: ${readFileSync(logFile, 'utf8')}`);
  return {
    async end(signal) {
      if (hasEnded()) return;
      child.kill(signal);
      await exited;
    },
  };
}

/** The first of these commands that is installed, with what it prints of its version. */
export function installed(
  commands: readonly string[],
  ...args: string[]
): { readonly command: string; readonly output: string } | undefined {
  for (const command of commands) {
    const { error, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
    if (error === undefined) return { command, output: `${stdout}${stderr}` };
  }
  return undefined;
}

async function takesConnections(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
