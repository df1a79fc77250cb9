// The command line of a command that asks the API: where that is, the token for it, and what is told where something is wrong.
import { parseArgs } from 'node:util';
import type * as z from 'zod';
import { parseWith, urlWith } from '../../functions/contract/parse.ts';
import { optionFault } from './command-line.ts';
import { CommandError, runCommand } from './run-command.ts';

export type ReadCommand<Options> =
  | { readonly kind: 'help' }
  | { readonly kind: 'faulty'; readonly problems: readonly string[] }
  | { readonly kind: 'read'; readonly options: Options };

/** How it was called. */
export interface Call {
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export interface ApiCommand<S extends z.ZodType<object>> {
  /** Of all options. */
  readonly schema: S;
  /** Names of the options that have a value; the others have none. */
  readonly texts: readonly string[];
  /** Whether it can have an argument that is no option. */
  readonly hasArgument?: boolean;
  /** The scope that its token needs, where that is one and the same. */
  readonly scope?: string;
}

/** The option `--url`, which each of them has. */
export const apiUrl = urlWith('http:', 'https:');

/** What a header can carry. */
const tokenForm = /^[\x21-\x7e]+$/;

/** What the values mean is for the API to say, which knows topic filters, times and routes. */
export function readApiCommand<S extends z.ZodType<object>>(
  { args, environment }: Call,
  { schema, texts, hasArgument = false, scope }: ApiCommand<S>,
): ReadCommand<z.output<S> & { readonly token: string; readonly argument: string | undefined }> {
  // Not strict: that would end at the first problem, and all are to be told.
  const { values, positionals } = parseArgs({
    args: [...args],
    strict: false,
    options: {
      ...Object.fromEntries([...texts, 'url'].map((name) => [name, { type: 'string' }])),
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values['help'] === true) return { kind: 'help' };
  const { CAUSEWAY_URL, CAUSEWAY_TOKEN: token = '' } = environment;
  const parsed = parseWith(schema, { url: CAUSEWAY_URL || 'http://127.0.0.1:8080', ...values });
  const problems = parsed.ok ? [] : parsed.faults.map(optionFault);
  const [argument, ...surplus] = hasArgument ? positionals : [undefined, ...positionals];
  if (surplus.length > 0) problems.push('too many arguments: quote what has spaces');
  if (!tokenForm.test(token))
    problems.push(`CAUSEWAY_TOKEN must hold a token${scope ? ` with the scope ${scope}` : ''}`);
  if (!parsed.ok || problems.length > 0) return { kind: 'faulty', problems };
  return { kind: 'read', options: { ...parsed.value, token, argument } };
}

/** Runs a command whose command line has been read; else prints its help, or what is wrong. */
export function runRead<Options>(
  read: ReadCommand<Options>,
  help: string,
  command: (options: Options) => Promise<string | number>,
): Promise<void> {
  return runCommand(async () => {
    if (read.kind === 'help') return help;
    if (read.kind === 'faulty') throw new CommandError(read.problems.join('\n'));
    return command(read.options);
  });
}
