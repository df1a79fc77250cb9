// `npm run replay`: asks a deployment to give stored messages, or dead letters, to a handler again, and shows how far it is.
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Presets, SingleBar } from 'cli-progress';
import { ReplayClient, type ReplayView, RequestError } from './replay-client.ts';

const help = `Gives stored messages to the handler of a route again, or what is in quarantine to its own.

  npm run replay -- --filter <topic filter> --route <name> [--from <time>] [--to <time>] [--rate <n>] [--dry-run]
  npm run replay -- --dead-letters [--filter <topic filter>] [--route <name>] [--from <time>] [--to <time>] …

  --filter        which topics
  --route         the route whose handler gets them; of dead letters, only those of this route
  --from, --to    times of receipt, such as 2026-01-31T12:00:00Z; --to does not belong to it any more
  --rate          most messages a second (default 100)
  --dry-run       only count
  --detach        do not wait for the end
  --url           the API (default $CAUSEWAY_URL, or http://127.0.0.1:8080)
  --help          show this

The token, one with the scope admin, is taken from $CAUSEWAY_TOKEN. Ctrl-C cancels the replay.
`;

/** How often the progress is asked for. */
const pollMs = 500;

interface CommandLine {
  readonly path: string;
  readonly body: Record<string, unknown>;
  readonly url: string;
  readonly detach: boolean;
}

/** Undefined where only the help is asked for. What the values have to be is for the API to say. */
function parseCommandLine(): CommandLine | undefined {
  const { values } = parseArgs({
    options: {
      filter: { type: 'string' },
      route: { type: 'string' },
      from: { type: 'string' },
      to: { type: 'string' },
      rate: { type: 'string' },
      'dry-run': { type: 'boolean' },
      'dead-letters': { type: 'boolean' },
      detach: { type: 'boolean' },
      url: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return undefined;
  const { filter, route, from, to, rate } = values;
  return {
    path: values['dead-letters'] ? '/v1/dead-letters/replay' : '/v1/replay',
    body: {
      ...(filter !== undefined && { filter }),
      ...(route !== undefined && { route }),
      ...(from !== undefined && { from }),
      ...(to !== undefined && { to }),
      ...(rate !== undefined && { messagesPerSecond: Number(rate) }),
      ...(values['dry-run'] && { dryRun: true }),
    },
    url: values.url ?? process.env['CAUSEWAY_URL'] ?? 'http://127.0.0.1:8080',
    detach: values.detach ?? false,
  };
}

async function main(): Promise<number> {
  const commandLine = parseCommandLine();
  if (commandLine === undefined) {
    process.stdout.write(help);
    return 0;
  }
  const token = process.env['CAUSEWAY_TOKEN'] ?? '';
  if (token === '') throw new RequestError('CAUSEWAY_TOKEN must hold a token with the scope admin');
  const client = new ReplayClient(commandLine.url, token);
  const started = await client.start(commandLine.path, commandLine.body);
  process.stdout.write(`replay ${started.id}\n`);
  if (commandLine.detach) return 0;
  const last = await follow(client, started);
  process.stdout.write(`${summary(last)}\n`);
  for (const { topic, id, reason } of last.refusals)
    process.stdout.write(`  refused: ${topic} (${id}): ${reason}\n`);
  return last.status === 'done' && last.refused === 0 ? 0 : 1;
}

/** Shows the progress until the end; Ctrl-C cancels, and a second one leaves at once. */
async function follow(client: ReplayClient, started: ReplayView): Promise<ReplayView> {
  const bar = new SingleBar(
    {
      format: '{state} [{bar}] {value}/{total} {note}',
      // Without a terminal a line now and then is what can be read.
      noTTYOutput: true,
      notTTYSchedule: 2000,
      hideCursor: true,
    },
    Presets.rect,
  );
  let last = started;
  const cancel = () => void client.cancel(started.id).catch(() => {});
  process.once('SIGINT', cancel);
  bar.start(0, 0, shown(last));
  while (!['done', 'cancelled', 'failed'].includes(last.status)) {
    await delay(pollMs);
    last = await client.find(started.id);
    bar.setTotal(last.total);
    bar.update(last.delivered + last.refused, shown(last));
  }
  bar.stop();
  process.off('SIGINT', cancel);
  return last;
}

function shown({ status, waiting, refused }: ReplayView) {
  const refusals = refused > 0 ? `, ${refused} refused` : '';
  return {
    state: status,
    note: `${waiting === undefined ? '' : `waiting: ${waiting}`}${refusals}`,
  };
}

function summary({ status, total, delivered, refused, dryRun, reason }: ReplayView): string {
  if (status === 'failed') return `failed: ${reason ?? 'no reason given'}`;
  if (dryRun) return `${status}: there are ${total}`;
  return `${status}: ${delivered} of ${total} delivered, ${refused} refused`;
}

await main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    // Options that there are not, and answers of the API; anything else is a bug.
    const isUsage = error instanceof TypeError && 'code' in error;
    if (!(error instanceof RequestError) && !isUsage) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  },
);
