// Which bridge is asked: one after the other until one knows it, or all of them where each knows a part.
import type { BridgeAddress, Bridges } from './bridges.ts';
import { type Answer, exchange } from './exchange.ts';

interface Asking {
  readonly bridges: Bridges;
}

interface Question {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly timeoutMs: number;
  readonly body?: string | undefined;
  /** Ends it early. */
  readonly signal?: AbortSignal | undefined;
}

/** What is done by the one bridge that has the lease for it, or a session of the route. */
const ofOneBridge: readonly string[] = ['/deliver', '/routes/end'];

/** What another bridge may know better: it is not there, it is another one by now, or another one does this. */
function isForAnother(path: string, { status, failure }: Answer): boolean {
  return (
    failure === 'no connection' || status === 401 || (status === 503 && ofOneBridge.includes(path))
  );
}

export function post(
  asking: Asking,
  path: string,
  body: unknown,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<Answer> {
  return ask(asking, { method: 'POST', path, timeoutMs, body: JSON.stringify(body), signal });
}

/** Asks one bridge after the other, within the time for all of them. */
async function ask({ bridges }: Asking, question: Question): Promise<Answer> {
  const { path, timeoutMs, signal } = question;
  const deadlineMs = Date.now() + timeoutMs;
  const asked = new Set<string>();
  let answer: Answer = { failure: 'no connection' };
  for (;;) {
    let next: BridgeAddress | undefined;
    try {
      // Those that were known may have successors: after a failure they are looked up again.
      next = (await bridges.list()).find(({ token }) => !asked.has(token));
    } catch (error) {
      return { failure: `the bridge cannot be looked up: ${error}` };
    }
    if (next === undefined) return answer;
    asked.add(next.token);
    answer = await askOne(next, { ...question, timeoutMs: Math.max(0, deadlineMs - Date.now()) });
    if (signal?.aborted) return answer;
    if (!isForAnother(path, answer)) {
      bridges.answered(next);
      return answer;
    }
    bridges.failed(next);
  }
}

/** The answers of all bridges that have one; where none has, that of one of them, which says why. */
export async function askAll({ bridges }: Asking, question: Question): Promise<Answer[]> {
  const known = await bridges.list().catch(() => []);
  if (known.length < 2) return [await ask({ bridges }, question)];
  const answers = await Promise.all(
    known.map(async (bridge) => {
      const answer = await askOne(bridge, question);
      if (isForAnother(question.path, answer)) bridges.failed(bridge);
      return answer;
    }),
  );
  const whole = answers.filter(({ status }) => status === 200);
  return whole.length > 0 ? whole : answers.slice(0, 1);
}

function askOne({ url, token }: BridgeAddress, { path, ...question }: Question): Promise<Answer> {
  return exchange({
    ...question,
    url: new URL(path, url),
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      // Deadlines are of this clock, and the bridge's may be another one.
      date: new Date().toUTCString(),
    },
  });
}
