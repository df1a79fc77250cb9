// The command line of `npx causeway replay`: its help, what its options have to be, and the request that they stand for.
import * as z from 'zod';
import { apiUrl, type Call, type ReadCommand, readApiCommand } from './api-command.ts';
import { commandLine } from './command-line.ts';

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

export interface ReplayOptions {
  readonly path: '/v1/replay' | '/v1/dead-letters/replay';
  readonly body: Readonly<Record<string, unknown>>;
  readonly url: string;
  readonly token: string;
  readonly detach: boolean;
}

const text = z.string('needs a value').optional();
const flag = z.literal(true, 'takes no value').optional();

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
    url: apiUrl,
  })
  .superRefine((options, context) => {
    if (options['dead-letters']) return;
    for (const name of ['filter', 'route'] as const)
      if (options[name] === undefined)
        context.addIssue({ code: 'custom', path: [name], message: 'is required for messages' });
  });

export function readReplayOptions(call: Call): ReadCommand<ReplayOptions> {
  const texts = ['filter', 'route', 'from', 'to', 'rate'];
  const read = readApiCommand(call, { schema: optionsSchema, texts, scope: 'admin' });
  if (read.kind !== 'read') return read;
  const { rate, url, token, detach = false, ...options } = read.options;
  const { filter, route, from, to } = options;
  return {
    kind: 'read',
    options: {
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
