// What `npm run replay` starts, as a child process, against the local stack with a webhook.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { type Consumer, startConsumer } from '../../support/consumer.ts';
import { programFile } from '../../support/started-once.ts';
import { until } from '../../support/wait.ts';
import { hookSecret, startWebhookStack, type WebhookStack } from '../../support/webhook-stack.ts';

interface Run {
  readonly child: ChildProcess;
  readonly out: () => string;
  /** Once it has ended: its exit code, or the signal that ended it, and the lines that it wrote. */
  readonly ended: Promise<{ code: number | string | null; out: string[]; problems: string[] }>;
}

const linesOf = (text: string) => text.split('\n').slice(0, -1);

const program = await programFile('replay');

function replay(environment: Record<string, string>, ...options: string[]): Run {
  const child = spawn(process.execPath, [program, ...options], {
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let out = '';
  let problems = '';
  child.stdout.on('data', (chunk) => (out += chunk));
  child.stderr.on('data', (chunk) => (problems += chunk));
  const ended = once(child, 'close').then(([code, signal]) => ({
    code: code ?? signal,
    out: linesOf(out),
    problems: linesOf(problems),
  }));
  return { child, out: () => out, ended };
}

const accessTo = ({ apiUrl, token }: WebhookStack) => ({
  CAUSEWAY_URL: apiUrl,
  CAUSEWAY_TOKEN: token,
});

/** A stack whose route `hook` gives single messages to the consumer, with `count` of them in the table. */
async function stackWith(consumer: Consumer, count: number): Promise<WebhookStack> {
  const stack = await startWebhookStack({
    routes: [
      {
        name: 'hook',
        filter: 'rooms/#',
        handler: {
          url: consumer.url,
          allowPrivate: true,
          format: 'raw',
          secretName: hookSecret,
        },
      },
    ],
  });
  await stack.publish('rooms/1', ...Array.from({ length: count }, (_, index) => String(index)));
  await until(() => consumer.consumed.length === count);
  consumer.consumed.length = 0;
  return stack;
}

test('--help tells every option; what is wrong is told with all of its faults, and nothing is asked for', async () => {
  // Nothing listens there: a caller would fail in another way.
  const access = { CAUSEWAY_URL: 'http://127.0.0.1:1', CAUSEWAY_TOKEN: 'token' };
  const messages = ['--filter', 'rooms/#', '--route', 'hook'];
  const [helped, tokenless, unprintable, wrong, incomplete, away] = await Promise.all(
    [
      replay({}, '--help'),
      replay({ ...access, CAUSEWAY_TOKEN: '' }, ...messages),
      replay({ ...access, CAUSEWAY_TOKEN: 'secret\ntoken' }, ...messages),
      replay({}, 'surplus', ...messages, '--bogus', '--dry-run=1', '--url', 'nowhere', '--from'),
      replay(access),
      replay(access, ...messages),
    ].map(({ ended }) => ended),
  );
  expect([helped?.code, helped?.problems]).toEqual([0, []]);
  const text = helped?.out.join('\n');
  for (const option of ['filter', 'route', 'from', 'to', 'rate', 'dry-run', 'detach', 'url'])
    expect(text).toContain(`--${option}`);
  const needsToken = 'CAUSEWAY_TOKEN must hold a token with the scope admin';
  expect(tokenless).toEqual({ code: 1, out: [], problems: [needsToken] });
  expect(unprintable).toEqual({ code: 1, out: [], problems: [needsToken] });
  expect(wrong).toEqual({
    code: 1,
    out: [],
    problems: [
      '--from needs a value',
      '--dry-run takes no value',
      '--url must be a URL that starts with http:// or https://',
      '--bogus is not a known option',
      'too many arguments: quote what has spaces',
      needsToken,
    ],
  });
  expect(incomplete?.problems).toEqual([
    '--filter is required for messages',
    '--route is required for messages',
  ]);
  expect(away?.problems).toEqual(['http://127.0.0.1:1 cannot be reached: bad port']);
  expect([incomplete?.code, away?.code]).toEqual([1, 1]);
});

test('dry run, real run, --detach; what the API refuses is told by option, and starts nothing', async () => {
  const consumer = await startConsumer();
  const stack = await stackWith(consumer, 20);
  const access = accessTo(stack);
  const messages = ['--filter', 'rooms/#', '--route', 'hook', '--rate', '10000'];
  const [invalid, unknown, forbidden] = await Promise.all([
    replay(
      access,
      ...['--filter', 'rooms/##', '--route', '', '--from', 'yesterday', '--rate', 'fast'],
    ).ended,
    replay(access, '--filter', '#', '--route', 'nope').ended,
    replay({ ...access, CAUSEWAY_TOKEN: 'wrong' }, ...messages).ended,
  ]);
  expect(invalid).toEqual({
    code: 1,
    out: [],
    problems: [
      'A field of the request is not valid',
      '  --filter # must be the last level and stand alone [MQTT-4.7.1-1]',
      '  --route must not be empty',
      '  --from must be an RFC 3339 time, such as 2026-01-31T12:00:00Z',
      '  --rate must be a whole number from 1 to 10000',
    ],
  });
  const noRoute = ['The bridge does not have this route: route nope'];
  expect(unknown).toEqual({ code: 1, out: [], problems: noRoute });
  expect(forbidden).toEqual({
    code: 1,
    out: [],
    problems: [expect.stringMatching(/^A valid token is needed/)],
  });
  expect((await stack.call('GET', '/v1/replays')).body.replays).toEqual([]);

  const dry = await replay(access, ...messages, '--dry-run').ended;
  expect([dry.code, dry.out.at(-1), dry.problems]).toEqual([0, 'counted: there are 20', []]);
  expect(consumer.consumed).toEqual([]);

  consumer.answer = ({ body }, response) =>
    void response.writeHead(body.toString() === '7' ? 422 : 204).end('seven');
  const real = await replay(access, ...messages).ended;
  expect(real.code).toBe(1);
  expect(real.out[0]).toMatch(/^replay [0-9a-f-]{36}$/);
  expect(real.out.at(-2)).toBe('done: 19 of 20 delivered, 1 refused');
  expect(real.out.at(-1)).toMatch(/^ {2}refused: rooms\/1 \(.+\): the handler answered 422/);
  expect(consumer.consumed).toHaveLength(20);
  consumer.consumed.length = 0;

  const detached = await replay(access, ...messages, '--detach').ended;
  expect([detached.code, detached.out.length]).toEqual([0, 1]);
  const { status, delivered } = await stack.replayIn(detached.out[0]?.split(' ')[1] ?? '');
  expect([status, delivered]).toEqual(['done', 19]);
});

test('progress comes in lines; Ctrl-C cancels the replay, and the exit code says that it did not end well', async () => {
  const consumer = await startConsumer();
  const stack = await stackWith(consumer, 20);
  consumer.answer = (_, response) => void response.writeHead(503).end();
  const run = replay(accessTo(stack), '--filter', 'rooms/#', '--route', 'hook');
  await until(() => run.out().includes('sending 0 of 20, waiting: the handler answered 503\n'));
  const id = run.out().split(/\s/)[1];
  run.child.kill('SIGINT');
  const { code, out, problems } = await run.ended;
  expect([code, out.at(-1), problems]).toEqual([1, 'cancelled: 0 of 20 delivered, 0 refused', []]);
  expect((await stack.call('GET', `/v1/replays/${id}`)).body.status).toBe('cancelled');
});
