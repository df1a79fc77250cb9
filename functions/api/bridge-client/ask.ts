// Which bridge is asked: one after the other until one knows it, or all of them where each knows a part.
import type * as z from 'zod';
import { type Parsed, parseWith } from '../../contract/parse.ts';
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

const nobody: Answer = { failure: 'no connection' };

const notLookedUp = (error: unknown): Answer => ({
  failure: `the bridge cannot be looked up: ${error}`,
});

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
  let answer = nobody;
  for (;;) {
    let next: BridgeAddress | undefined;
    try {
      // Those that were known may have successors: after a failure they are looked up again.
      next = (await bridges.list()).find(({ token }) => !asked.has(token));
    } catch (error) {
      return notLookedUp(error);
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

/** What those bridges tell that have something to tell; where none has, `why` is the answer of one of them. */
export interface ToldByAll<T> {
  readonly told: readonly T[];
  readonly why: Answer;
}

export async function askAll<S extends z.ZodType>(
  asking: Asking,
  question: Question,
  schema: S,
): Promise<ToldByAll<z.output<S>>> {
  const answers = await answersOfAll(asking, question);
  const told = answers.flatMap(({ status, body }) => {
    const parsed: Parsed<z.output<S>> = parseWith(schema, body);
    return status === 200 && parsed.ok ? [parsed.value] : [];
  });
  return { told, why: answers[0] ?? nobody };
}

/** Asks all bridges at once, and then those that are there in the place of some of them, within the time for all. */
async function answersOfAll({ bridges }: Asking, question: Question): Promise<Answer[]> {
  const deadlineMs = Date.now() + question.timeoutMs;
  const asked = new Set<string>();
  const answers: Answer[] = [];
  for (;;) {
    let next: BridgeAddress[];
    try {
      next = (await bridges.list()).filter(({ token }) => !asked.has(token));
    } catch (error) {
      return [...answers, notLookedUp(error)];
    }
    if (next.length === 0) return answers;
    const timeoutMs = Math.max(0, deadlineMs - Date.now());
    const asking = next.map(async (bridge) => {
      asked.add(bridge.token);
      const answer = await askOne(bridge, { ...question, timeoutMs });
      if (isForAnother(question.path, answer)) bridges.failed(bridge);
      return answer;
    });
    answers.push(...(await Promise.all(asking)));
  }
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
