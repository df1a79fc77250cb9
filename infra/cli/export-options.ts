// The command line of `npx causeway export`: its help, and what its options have to be.
import * as z from 'zod';
import { apiUrl, type Call, type ReadCommand, readApiCommand } from './api-command.ts';
import { commandLine } from './command-line.ts';

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

const optionsSchema = z.strictObject({
  filter: z.string('is required'),
  out: z.string('is required').min(1, 'needs a value'),
  from: text.optional(),
  to: text.optional(),
  url: apiUrl,
});

export type ExportOptions = z.output<typeof optionsSchema> & { readonly token: string };

export function readExportOptions(call: Call): ReadCommand<ExportOptions> {
  return readApiCommand(call, { schema: optionsSchema, texts: ['filter', 'out', 'from', 'to'] });
}
