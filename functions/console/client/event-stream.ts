// Server-sent events, read by fetch: its header carries the token, which an EventSource would need in the address.

export interface StreamEvent {
  readonly event: string;
  readonly data: string;
  /** Cursor to go on after it. */
  readonly id?: string;
}

/** Takes the text of a stream in pieces, and tells the events in it, and how long to wait before asking again. */
export function createEventParser(
  onEvent: (event: StreamEvent) => void,
  onRetry: (ms: number) => void,
): (text: string) => void {
  let rest = '';
  let event = 'message';
  let data: string[] = [];
  let id: string | undefined;

  function line(text: string): void {
    if (text === '') {
      if (data.length > 0)
        onEvent({ event, data: data.join('\n'), ...(id !== undefined && { id }) });
      event = 'message';
      data = [];
      return;
    }
    const [, name, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(text) ?? [];
    if (name === 'event') event = value;
    else if (name === 'data') data.push(value);
    else if (name === 'id') id = value;
    else if (name === 'retry' && /^\d+$/.test(value)) onRetry(Number(value));
  }

  return (text) => {
    const lines = (rest + text).split(/\r?\n/);
    rest = lines.pop() ?? '';
    for (const one of lines) line(one);
  };
}

export interface StreamOptions {
  readonly url: string;
  readonly token: string;
  /** Cursor of the last event that came. */
  readonly after: string | undefined;
  readonly signal: AbortSignal;
  readonly onOpen: () => void;
  readonly onEvent: (event: StreamEvent) => void;
  readonly onRetry: (ms: number) => void;
}

/** Reads until the body ends, and gives the answer; undefined where the connection was lost. */
export async function readStream(options: StreamOptions): Promise<Response | undefined> {
  const { url, token, after, signal, onOpen, onEvent, onRetry } = options;
  try {
    const response = await fetch(url, {
      headers: {
        accept: 'text/event-stream',
        authorization: `Bearer ${token}`,
        ...(after !== undefined && { 'last-event-id': after }),
      },
      signal,
      credentials: 'omit',
    });
    if (!response.ok || response.body === null) return response;
    onOpen();
    const take = createEventParser(onEvent, onRetry);
    const decoder = new TextDecoder();
    const reader = response.body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return response;
      take(decoder.decode(value, { stream: true }));
    }
  } catch {
    return undefined;
  }
}
