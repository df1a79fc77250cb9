// How `npx causeway replay` shows how far a replay is: a bar in a terminal, elsewhere a line when something has changed.
import cliProgress from 'cli-progress';
import type { ReplayView } from './replay-client.ts';

export interface ProgressDisplay {
  show(view: ReplayView): void;
  /** Leaves the place to what is written next. */
  end(): void;
}

/** Least time between two lines. */
const lineMs = 2000;

export function progressDisplay(output: NodeJS.WriteStream): ProgressDisplay {
  return output.isTTY ? bar(output) : lines(output);
}

function bar(stream: NodeJS.WriteStream): ProgressDisplay {
  const shown = new cliProgress.SingleBar(
    {
      stream,
      format: (options, { progress }, { view }: { view: ReplayView }) =>
        progressText(view, `[${cliProgress.Format.BarFormat(progress, options)}] `),
      clearOnComplete: true,
      // Ctrl-C cancels the replay, whose progress is of interest until it has ended.
      gracefulExit: false,
    },
    cliProgress.Presets.rect,
  );
  let isStarted = false;
  return {
    show(view) {
      if (!isStarted) shown.start(view.total, 0, { view });
      isStarted = true;
      shown.setTotal(view.total);
      shown.update(view.delivered + view.refused, { view });
    },
    end: () => shown.stop(),
  };
}

function lines(stream: NodeJS.WriteStream): ProgressDisplay {
  let last = '';
  let writtenMs = Number.NEGATIVE_INFINITY;
  return {
    show(view) {
      const text = progressText(view);
      if (text === last || performance.now() - writtenMs < lineMs) return;
      last = text;
      writtenMs = performance.now();
      stream.write(`${text}\n`);
    },
    end() {},
  };
}

/** `drawn` stands where there is a share that is done. */
export function progressText(view: ReplayView, drawn = ''): string {
  const { status, total, delivered, refused, waiting } = view;
  if (status === 'pending') return 'pending';
  if (status === 'counting') return `counting: ${total} so far`;
  const refusals = refused > 0 ? `, ${refused} refused` : '';
  const reason = waiting === undefined ? '' : `, waiting: ${printable(waiting)}`;
  return `${status} ${drawn}${delivered + refused} of ${total}${refusals}${reason}`;
}

/** What became of it, with the first of those that the handler refused. */
export function resultText(view: ReplayView): string {
  const { refused, refusals } = view;
  const more = refused - refusals.length;
  return [
    resultLine(view),
    ...refusals.map(({ topic, id, reason }) => printable(`  refused: ${topic} (${id}): ${reason}`)),
    ...(more > 0 ? [`  and ${more} more`] : []),
  ].join('\n');
}

/** Topics, ids and reasons come from devices and handlers, which must not command the terminal. */
function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, '\ufffd');
}

function resultLine({ status, total, delivered, refused, dryRun, reason }: ReplayView): string {
  if (status === 'failed') return `failed: ${reason ?? 'no reason given'}`;
  if (dryRun && status === 'done') return `counted: there are ${total}`;
  if (status === 'done' && total === 0) return 'done: there is nothing to send';
  return `${status}: ${delivered} of ${total} delivered, ${refused} refused`;
}
