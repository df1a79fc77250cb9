// The commands that run until somebody stops them: how they end when they were called wrong.
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
