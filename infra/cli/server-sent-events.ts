// Server-sent events out of a body, as they come.
// https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation

export interface ServerSentEvent {
  readonly event: string;
  readonly data: string;
}

/** What a stream has told so far beside its events. */
export interface StreamState {
  /** Id of the last event; undefined before the first one. */
  lastEventId?: string | undefined;
  /** Wait so long before asking again. */
  retryMs?: number | undefined;
}

/** The events of a body; `state` is kept up to date with what each of them says. Half an event at the end is none. */
export async function* eventsOf(
  body: AsyncIterable<Uint8Array>,
  state: StreamState,
): AsyncGenerator<ServerSentEvent> {
  const decoder = new TextDecoder();
  let rest = '';
  let fields = new Map<string, string>();
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true });
    // The line behind the last break is not whole; nor is a break that ends in the middle of \r\n.
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line !== '') {
        readLine(line, fields);
        continue;
      }
      const [id, retry, data] = ['id', 'retry', 'data'].map((name) => fields.get(name));
      if (id !== undefined) state.lastEventId = id;
      if (retry !== undefined && /^\d+$/.test(retry)) state.retryMs = Number(retry);
      const event = fields.get('event') ?? 'message';
      fields = new Map();
      if (data !== undefined) yield { event, data };
    }
  }
}

function readLine(line: string, fields: Map<string, string>): void {
  const colon = line.indexOf(':');
  const name = colon === -1 ? line : line.slice(0, colon);
  const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '');
  const before = fields.get(name);
  fields.set(name, name === 'data' && before !== undefined ? `${before}\n${value}` : value);
}
