// The command line of `npx causeway export`: its help, and what its options have to be.
import { parseArgs } from 'node:util';
import * as z from 'zod';
import { parseWith, urlWith } from '../../functions/contract/parse.ts';
import { commandLine, optionFault } from './command-line.ts';

export const help = `Writes stored messages into a file: topic by topic, oldest first.

  ${commandLine('export', "--filter '<topic filter>' --out <file> [--from <time>] [--to <time>]")}

  --filter        which topics, such as 'rooms/#'
  --out           the file: CSV where its name ends in .csv, else a line of JSON for each message
  --from, --to    times of receipt, such as 2026-01-31T12:00:00Z; --to does not belong to it any more (default now)
  --url           the API (default $CAUSEWAY_URL, or http://127.0.0.1:8080)
  --help          show this

The token is taken from $CAUSEWAY_TOKEN; what it may not read is left out. What has been cut off goes on where it was, when the
same command is given once more: until the end, that is kept in <file>.resume.
`;

const text = z.string('needs a value').min(1, 'needs a value');

/** What the values mean is for the API to say, which knows topic filters and times. */
const optionsSchema = z.strictObject({
  filter: z.string('is required'),
  out: z.string('is required').min(1, 'needs a value'),
  from: text.optional(),
  to: text.optional(),
  url: urlWith('http:', 'https:'),
  token: z
    .string('must be in $CAUSEWAY_TOKEN')
    // What a header can carry.
    .regex(/^[\x21-\x7e]+$/, 'must be in $CAUSEWAY_TOKEN'),
});

export type ExportOptions = z.output<typeof optionsSchema>;

export type ReadExportOptions =
  | { readonly kind: 'help' }
  | { readonly kind: 'faulty'; readonly problems: readonly string[] }
  | { readonly kind: 'read'; readonly options: ExportOptions };

export function readExportOptions(
  args: readonly string[],
  { CAUSEWAY_URL, CAUSEWAY_TOKEN }: Readonly<Record<string, string | undefined>>,
): ReadExportOptions {
  // Not strict: that would end at the first problem, and all are to be told.
  const { values, positionals } = parseArgs({
    args: [...args],
    strict: false,
    options: {
      filter: { type: 'string' },
      out: { type: 'string' },
      from: { type: 'string' },
      to: { type: 'string' },
      url: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values['help'] === true) return { kind: 'help' };
  const given = { url: CAUSEWAY_URL || 'http://127.0.0.1:8080', ...values, token: CAUSEWAY_TOKEN };
  const options = parseWith(optionsSchema, given);
  const problems = options.ok ? [] : options.faults.map(optionFault);
  if (positionals.length > 0) problems.push('too many arguments: quote what has spaces');
  if (!options.ok || problems.length > 0) return { kind: 'faulty', problems };
  return { kind: 'read', options: options.value };
}
