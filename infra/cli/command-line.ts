// How our commands are called, for what they print: by npx where the package is installed, by npm in a clone. And how their
// options are named where one is wrong.
import type { FieldFault } from '../../functions/contract/problem.ts';

/** Whether this runs from a clone: the package has no TypeScript. */
const isClone = import.meta.url.endsWith('.ts');

/** The line that runs a command with some arguments. */
export function commandLine(command: string, ...given: readonly string[]): string {
  if (!isClone) return ['npx causeway', command, ...given].join(' ');
  const script = command === 'start' ? 'npm start' : `npm run ${command}`;
  return [script, ...(given.length > 0 ? ['--'] : []), ...given].join(' ');
}

/** What is wrong with an option, or with the field of a request that it gave. */
export function optionFault({ field, rule }: FieldFault): string {
  const option = field === 'messagesPerSecond' ? 'rate' : field;
  return `--${option} ${rule.replace('a known field', 'a known option')}`;
}
