// One request to the bridge and its answer, bounded in time and bytes. By node:http: a `fetch` takes three times its CPU.
import { Agent, request } from 'node:http';
import { jsonOrUndefined } from '../../contract/parse.ts';

/** Largest answer that is read: replies may be 256 KB each, and the ledger has them too. */
const maxAnswerBytes = 8 * 1024 * 1024;
/** In a private network a connection takes milliseconds, and where nobody is, nothing ever answers. */
const connectMs = 1000;
/** A connection that is not used for so long is closed, before the bridge does that: it would look like a bridge that is away. */
const idleMs = 3000;

const agent = new Agent({ keepAlive: true, timeout: idleMs });

export interface Exchange {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  readonly timeoutMs: number;
  /** Ends it early. */
  readonly signal?: AbortSignal | undefined;
}

export interface Answer {
  /** Absent where there was no whole answer. */
  readonly status?: number;
  readonly body?: unknown;
  readonly failure?: string;
}

/** Never rejects. Redirects are not followed. */
export function exchange(asked: Exchange): Promise<Answer> {
  const { method, url, headers, body, timeoutMs, signal } = asked;
  return new Promise((resolve) => {
    const outgoing = request(url, {
      agent,
      method,
      headers: {
        ...headers,
        ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }),
      },
    });
    const end = (answer: Answer) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      // Without effect on one that is whole: its connection is used again.
      if (answer.failure !== undefined) outgoing.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => end({ failure: 'no answer in time' }), timeoutMs);
    outgoing.once('socket', (socket) => {
      if (!socket.connecting) return;
      const connecting = setTimeout(abort, connectMs);
      outgoing.once('close', () => clearTimeout(connecting));
      socket.once('connect', () => clearTimeout(connecting));
    });
    const abort = () => end({ failure: 'no connection' });
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort);
    outgoing.once('response', (response) => {
      const parts: Buffer[] = [];
      let bytes = 0;
      response.on('data', (part: Buffer) => {
        bytes += part.byteLength;
        parts.push(part);
        if (bytes > maxAnswerBytes)
          end({ failure: `an answer of more than ${maxAnswerBytes} bytes` });
      });
      response.once('end', () =>
        end({
          status: response.statusCode ?? 0,
          body: jsonOrUndefined(Buffer.concat(parts).toString()),
        }),
      );
      response.once('error', abort);
    });
    outgoing.on('error', abort);
    outgoing.end(body);
  });
}
