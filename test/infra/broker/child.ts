// What `npm run broker` starts, as a child process, which can be killed.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { programFile } from '../../support/started-once.ts';

export interface ChildBroker {
  readonly process: ChildProcess;
  readonly output: () => string;
  /** Resolves with the exit code; null for a signal. */
  stop(signal: NodeJS.Signals): Promise<number | null>;
}

/** Starts the broker and waits until it listens, or has ended. */
export async function startChild(environment: Record<string, string>): Promise<ChildBroker> {
  const child = spawn(process.execPath, [await programFile('broker')], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const exited = once(child, 'exit') as Promise<[number | null]>;
  await Promise.race([
    exited,
    new Promise<void>((resolve) => {
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (chunk) => {
          output += chunk;
          if (output.includes('Listening')) resolve();
        });
    }),
  ]);
  return {
    process: child,
    output: () => output,
    async stop(signal) {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      const [code] = await exited;
      return code;
    },
  };
}
