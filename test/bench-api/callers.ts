// Callers of the api: a number of requests in flight over kept connections, and how long each took.
import { Agent, request } from 'node:http';
import type { BenchStack } from './stack.ts';

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly tookMs: number;
}

export function createCaller({ apiUrl, token }: BenchStack, inFlight: number) {
  // Closed before the server closes it: the next request would meet that.
  const agent = new Agent({ keepAlive: true, maxSockets: inFlight, timeout: 3000 });
  return {
    call(path: string, body?: unknown): Promise<Answer> {
      const startedMs = performance.now();
      return new Promise((resolve, reject) => {
        const outgoing = request(
          `${apiUrl}${path}`,
          {
            agent,
            method: body === undefined ? 'GET' : 'POST',
            headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
          },
          async (response) => {
            let text = '';
            for await (const chunk of response.setEncoding('utf8')) text += chunk;
            const status = response.statusCode ?? 0;
            resolve({ status, text, tookMs: performance.now() - startedMs });
          },
        );
        outgoing.on('error', reject);
        outgoing.end(body === undefined ? undefined : JSON.stringify(body));
      });
    },
    close: () => agent.destroy(),
  };
}

export interface Load {
  readonly perSecond: number;
  /** Milliseconds, ascending. */
  readonly latencies: readonly number[];
}

/** Keeps `inFlight` calls going for `durationMs`; throws at the first answer that is not `expected`. */
export async function load(
  call: (index: number) => Promise<Answer>,
  {
    inFlight,
    durationMs,
    expected = 200,
  }: { inFlight: number; durationMs: number; expected?: number },
): Promise<Load> {
  const latencies: number[] = [];
  const startedMs = performance.now();
  let index = 0;
  const caller = async () => {
    while (performance.now() - startedMs < durationMs) {
      const { status, text, tookMs } = await call(index++);
      if (status !== expected) throw new Error(`${status} ${text}`);
      latencies.push(tookMs);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, caller));
  const perSecond = (latencies.length * 1000) / (performance.now() - startedMs);
  return { perSecond, latencies: latencies.sort((a, b) => a - b) };
}
