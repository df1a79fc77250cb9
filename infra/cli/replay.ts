// `npx causeway replay`: asks a deployment to give stored messages, or dead letters, to a handler again, and shows how far it is.
import { pause } from '../../functions/contract/pause.ts';
import { runRead } from './api-command.ts';
import { ReplayClient, type ReplayView } from './replay-client.ts';
import { help, type ReplayOptions, readReplayOptions } from './replay-options.ts';
import { progressDisplay, resultText } from './replay-progress.ts';
import { RequestError } from './request-error.ts';

/** How often the progress is asked for. */
const pollMs = 500;
/** Polls that may fail one after the other: an API that is deployed again is away for moments. */
const maxFailedPolls = 20;

async function replay({ path, body, url, token, detach }: ReplayOptions): Promise<number> {
  const client = new ReplayClient(url, token);
  const started = await client.start(path, body);
  process.stdout.write(`replay ${started.id}\n`);
  if (detach) return 0;
  const last = await follow(client, started);
  process.stdout.write(`${resultText(last)}\n`);
  return last.status === 'done' && last.refused === 0 ? 0 : 1;
}

/** Shows the progress until the end. Ctrl-C cancels; a second one ends the process, as there is no listener any more. */
async function follow(client: ReplayClient, started: ReplayView): Promise<ReplayView> {
  const display = progressDisplay(process.stdout);
  const { id } = started;
  let last = started;
  const interrupted = new AbortController();
  process.once('SIGINT', () => interrupted.abort());
  let isToCancel = false;
  let failedPolls = 0;
  while (!hasEnded(last)) {
    display.show(last);
    await pause(pollMs, isToCancel ? undefined : interrupted.signal);
    isToCancel = interrupted.signal.aborted;
    try {
      last = await (isToCancel ? client.cancel(id) : client.find(id));
      failedPolls = 0;
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      failedPolls++;
      if (failedPolls < maxFailedPolls) continue;
      display.end();
      throw new RequestError(`${error.message}\nReplay ${id} goes on without this command.`);
    }
  }
  display.end();
  return last;
}

function hasEnded({ status }: ReplayView): boolean {
  return ['done', 'cancelled', 'failed'].includes(status);
}

const call = { args: process.argv.slice(2), environment: process.env };
await runRead(readReplayOptions(call), help, replay);
