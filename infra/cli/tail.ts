// `npx causeway tail`: messages as they are stored, a line each; the same on one machine and on AWS.
import { styleText } from 'node:util';
import * as z from 'zod';
import { jsonOrUndefined } from '../../functions/contract/parse.ts';
import { pause } from '../../functions/contract/pause.ts';
import { apiUrl, readApiCommand, runRead } from './api-command.ts';
import { commandLine } from './command-line.ts';
import { RequestError, refused } from './request-error.ts';
import { eventsOf, type StreamState } from './server-sent-events.ts';
import { lineOf } from './tail-line.ts';

const help = `Prints messages as they are stored, a line each.

  ${commandLine('tail', "['<topic filter>']", '[--after <cursor>] [--json]')}

  --after   go on behind the event with this id; it is printed at the end
  --json    print each message as JSON, as the API gives it
  --url     the API (default $CAUSEWAY_URL, or http://127.0.0.1:8080)
  --help    show this

The token is taken from $CAUSEWAY_TOKEN. A connection that is lost is made again, and nothing is missed meanwhile.
`;

const optionsSchema = z.strictObject({
  after: z.string('needs a value').optional(),
  json: z.literal(true, 'takes no value').optional(),
  url: apiUrl,
});

/** After a connection that was lost; an answer that has ended says itself how long. */
const lostMs = 2000;

async function follow(url: URL, token: string, json: boolean, state: StreamState): Promise<number> {
  const interrupted = new AbortController();
  process.once('SIGINT', () => interrupted.abort());
  const { signal } = interrupted;
  while (!signal.aborted) {
    let waitMs = lostMs;
    try {
      const response = await fetch(url, {
        headers: {
          accept: 'text/event-stream',
          authorization: `Bearer ${token}`,
          ...(state.lastEventId !== undefined && { 'last-event-id': state.lastEventId }),
        },
        signal,
      });
      await refuse(response);
      if (response.ok && response.body !== null) {
        for await (const { event, data } of eventsOf(response.body, state))
          print(event, data, json);
        waitMs = state.retryMs ?? lostMs;
      }
    } catch (error) {
      // What the API said for good: another try would get the same.
      if (error instanceof RequestError) throw error;
      if (!signal.aborted) process.stderr.write(styleText('yellow', 'connection lost\n'));
    }
    await pause(waitMs, signal);
  }
  if (state.lastEventId !== undefined) process.stderr.write(`--after ${state.lastEventId}\n`);
  return 0;
}

async function refuse(response: Response): Promise<void> {
  if (response.status < 400 || response.status >= 500 || response.status === 429) return;
  throw refused(response.url, response.status, jsonOrUndefined(await response.text()));
}

function print(event: string, data: string, json: boolean): void {
  if (event === 'message') process.stdout.write(`${json ? data : lineOf(data)}\n`);
  if (event === 'missed') process.stderr.write(styleText('yellow', `missed: ${data}\n`));
}

const call = { args: process.argv.slice(2), environment: process.env };
const read = readApiCommand(call, { schema: optionsSchema, texts: ['after'], hasArgument: true });
await runRead(read, help, ({ url, token, after, json = false, argument: filter = '#' }) => {
  const asked = new URL(`${url.replace(/\/+$/, '')}/v1/messages/live`);
  asked.searchParams.set('filter', filter);
  return follow(asked, token, json, { lastEventId: after });
});
