// A stream of the api for as long as somebody wants it: asked for again where it ends or is lost, each time behind the last
// event that came, so that there is no gap.
import { urlOf } from '../client/client.ts';
import { readStream, type StreamEvent } from '../client/event-stream.ts';
import { token } from './session.ts';

export interface Followed {
  readonly path: string;
  readonly query: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  /** An answer has begun; whether it goes on behind an event. */
  readonly onOpen: (isBack: boolean) => void;
  readonly onEvent: (event: StreamEvent) => void;
  /** The connection was lost, or the stream refused: it is asked for again. */
  readonly onLost: () => void;
  /** Whether it also ends while nobody looks at the tab: a browser has six connections to a server, for all its tabs. */
  readonly restsUnseen?: boolean;
}

const maxWaitMs = 10_000;

export function followStream(followed: Followed): void {
  void follow(followed);
}

async function follow({
  path,
  query,
  signal,
  onOpen,
  onEvent,
  onLost,
  restsUnseen = false,
}: Followed): Promise<void> {
  let after: string | undefined;
  let retryMs = 1000;
  let failures = 0;
  while (!signal.aborted) {
    // Where the stream is asked for again and again, each call is paid for.
    await looked();
    const unseen = new AbortController();
    const rest = () => document.visibilityState === 'visible' || unseen.abort();
    if (restsUnseen) document.addEventListener('visibilitychange', rest);
    const response = await readStream({
      url: urlOf(path, { query }),
      token: token.value ?? '',
      after,
      signal: AbortSignal.any([signal, unseen.signal]),
      onOpen: () => {
        failures = 0;
        onOpen(after !== undefined);
      },
      onEvent: (event) => {
        after = event.id ?? after;
        onEvent(event);
      },
      onRetry: (ms) => {
        retryMs = ms;
      },
    });
    document.removeEventListener('visibilitychange', rest);
    if (signal.aborted) return;
    if (unseen.signal.aborted) continue;
    const isEnded = response?.ok === true;
    if (!isEnded) {
      failures++;
      onLost();
    }
    const asked = Number(response?.headers.get('retry-after') ?? 0) * 1000;
    await pass(isEnded ? retryMs : Math.max(asked, Math.min(500 * 2 ** failures, maxWaitMs)));
  }
}

const pass = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Until somebody looks at the tab. */
function looked(): Promise<void> {
  if (document.visibilityState === 'visible') return Promise.resolve();
  return new Promise((resolve) =>
    document.addEventListener('visibilitychange', () => resolve(), { once: true }),
  );
}
