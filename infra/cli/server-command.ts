// The commands that run until somebody stops them: how they end.
import { commandLine } from './command-line.ts';

/** Ends the process with lines for the user. */
export function fail(lines: readonly string[]): never {
  process.stderr.write(`${lines.join('\n')}\n`);
  process.exit(1);
}

/** Ends the process, as the command was called wrong. */
export function failWithHelp(command: string, lines: readonly string[]): never {
  fail([...lines, `Try: ${commandLine(command, '--help')}`]);
}

/** Stops, and ends the process, at the first Ctrl-C or SIGTERM. */
export function onStop(stop: () => Promise<unknown>): void {
  let isStopping = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      if (isStopping) return;
      isStopping = true;
      void stop().then(() => process.exit(0));
    });
}
