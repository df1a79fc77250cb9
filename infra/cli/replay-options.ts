// The command line of `npx causeway replay`: its help, what its options have to be, and the request that they stand for.
import { parseArgs } from 'node:util';
import * as z from 'zod';
import { parseWith, urlWith } from '../../functions/contract/parse.ts';
import { commandLine, optionFault } from './command-line.ts';

export const help = `Gives stored messages to the handler of a route again, or what is among the dead letters to its own.

  ${commandLine('replay', '--filter <topic filter> --route <name> [--from <time>] [--to <time>] [--rate <n>] [--dry-run]')}
  ${commandLine('replay', '--dead-letters [--filter <topic filter>] [--route <name>] [--from <time>] [--to <time>] …')}

  --filter        which topics
  --route         the route whose handler gets them; of dead letters, only those of this route
  --from, --to    times of receipt, such as 2026-01-31T12:00:00Z; --to does not belong to it any more
  --rate          maximum messages a second (default 100)
  --dry-run       only count
  --detach        do not wait for the end
  --url           the API (default $CAUSEWAY_URL, or http://127.0.0.1:8080)
  --help          show this

The token, one with the scope admin, is taken from $CAUSEWAY_TOKEN. Ctrl-C cancels the replay; a second one leaves at
once. The exit code is 0 when all of them were delivered.
`;

export interface CommandLine {
  readonly path: '/v1/replay' | '/v1/dead-letters/replay';
  readonly body: Readonly<Record<string, unknown>>;
  readonly url: string;
  readonly token: string;
  readonly detach: boolean;
}

export type ReadCommandLine =
  | { readonly kind: 'help' }
  | { readonly kind: 'faulty'; readonly problems: readonly string[] }
  | { readonly kind: 'read'; readonly commandLine: CommandLine };

const text = z.string('needs a value').optional();
const flag = z.literal(true, 'takes no value').optional();

/** What the values mean is for the API to say, which knows topic filters, times and routes. */
const optionsSchema = z
  .strictObject({
    filter: text,
    route: text,
    from: text,
    to: text,
    rate: text,
    'dry-run': flag,
    'dead-letters': flag,
    detach: flag,
    url: urlWith('http:', 'https:'),
  })
  .superRefine((options, context) => {
    if (options['dead-letters']) return;
    for (const name of ['filter', 'route'] as const)
      if (options[name] === undefined)
        context.addIssue({ code: 'custom', path: [name], message: 'is required for messages' });
  });

/** What a header can carry. */
const tokenForm = /^[\x21-\x7e]+$/;

export function readCommandLine(
  given: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): ReadCommandLine {
  // Not strict: that would end at the first problem, and all are to be told.
  const { values, positionals } = parseArgs({
    args: [...given],
    strict: false,
    options: {
      ...Object.fromEntries(
        ['filter', 'route', 'from', 'to', 'rate', 'url'].map((name) => [name, { type: 'string' }]),
      ),
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values['help'] === true) return { kind: 'help' };
  const preset = environment['CAUSEWAY_URL'] || 'http://127.0.0.1:8080';
  const parsed = parseWith(optionsSchema, { url: preset, ...values });
  const token = environment['CAUSEWAY_TOKEN'] ?? '';
  const problems = parsed.ok ? [] : parsed.faults.map(optionFault);
  if (positionals.length > 0) problems.push('too many arguments: quote what has spaces');
  if (!tokenForm.test(token))
    problems.push('CAUSEWAY_TOKEN must hold a token with the scope admin');
  if (!parsed.ok || problems.length > 0) return { kind: 'faulty', problems };

  const { rate, url, detach = false, ...options } = parsed.value;
  const { filter, route, from, to } = options;
  return {
    kind: 'read',
    commandLine: {
      path: options['dead-letters'] ? '/v1/dead-letters/replay' : '/v1/replay',
      body: {
        filter,
        route,
        from,
        to,
        ...(rate !== undefined && { messagesPerSecond: numberIn(rate) }),
        ...(options['dry-run'] && { dryRun: true }),
      },
      url,
      token,
      detach,
    },
  };
}

/** What is no number is left for the API to refuse. */
function numberIn(given: string): number | string {
  return /^\d+$/.test(given) ? Number(given) : given;
}
