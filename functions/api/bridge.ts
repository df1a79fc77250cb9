// The api's side of the private way to the bridge: wakes it for recorded commands, has dead letters replayed, and
// looks at its routes.
import { setTimeout as delay } from 'node:timers/promises';
import { fullJitterMs } from '../contract/backoff.ts';
import { type DeliverRequest, deliverAnswerSchema, type Outcome } from '../contract/command.ts';
import { parseWith } from '../contract/parse.ts';
import { isProblemCode, type Problem, type ProblemCode, problem } from '../contract/problem.ts';
import { maxByLength, routeStatusSchema, routesAnswerSchema } from '../contract/route-status.ts';
import { type Trace, tracesAnswerSchema } from '../contract/trace.ts';
import type { RouteControl } from './routes/endpoints.ts';

export interface BridgeOptions {
  /** Base URL of the bridge, such as `http://bridge.causeway.internal:9100`. */
  readonly url: string;
  /** Secret that the bridge asks for. */
  readonly token: string;
  /** Told why the bridge could not be asked; nothing secret in it. */
  readonly onFailure?: (reason: string) => void;
}

/**
 * Wakes the bridge and waits, for `timeoutMs` and up to a second more. Resolves with what the bridge knows of the
 * commands, or with undefined where it could not be asked. A bridge that restarts is asked again meanwhile.
 */
export type Deliver = (request: DeliverRequest) => Promise<readonly Outcome[] | undefined>;

/** Has the bridge give a dead letter to its handler again, and delete it when the handler took it. */
export type ReplayDeadLetter = (
  id: string,
) => Promise<{ readonly ok: true } | { readonly ok: false; readonly problem: Problem }>;

/** Wakes the bridge's replays. Given the name of a route, it also tells where the bridge does not have it. */
export type WakeReplays = (route?: string) => Promise<'woken' | 'route-unknown' | 'unreachable'>;

/** The traces of messages with this id that the bridge still has; undefined where it could not be asked. */
export type WaitingTraces = (messageId: string) => Promise<readonly Trace[] | undefined>;

/** Time for the way there and back, beside what the bridge itself waits, in milliseconds. */
const marginMs = 1000;
const replayTimeoutMs = 25_000;
const wakeTimeoutMs = 3000;
/** A change is answered when every bridge knows of it. */
const routesTimeoutMs = 20_000;
/** Largest answer that is read: replies may be 256 KB each, and the ledger has them too. */
const maxAnswerBytes = 8 * 1024 * 1024;
const replayProblems: readonly ProblemCode[] = [
  'not-found',
  'route-unknown',
  'handler-refused',
  'handler-unavailable',
];

export function createDeliver({ onFailure, ...bridge }: BridgeOptions): Deliver {
  return async (request) => {
    const deadlineMs = Date.now() + request.timeoutMs;
    for (let attempt = 0; ; attempt++) {
      const timeoutMs = Math.max(0, deadlineMs - Date.now());
      const answer = await post(
        bridge,
        '/deliver',
        { ...request, timeoutMs },
        timeoutMs + marginMs,
      );
      if (answer.status === 200) {
        const parsed = parseWith(deliverAnswerSchema, answer.body);
        if (parsed.ok) return parsed.value.outcomes;
      }
      // Many callers wait for one bridge.
      const waitMs = fullJitterMs(attempt, 100, 1000);
      if (!isPassing(answer) || Date.now() + waitMs >= deadlineMs) {
        onFailure?.(answer.failure ?? `the bridge answered with status ${answer.status}`);
        return undefined;
      }
      await delay(waitMs);
    }
  };
}

export function createReplay({ onFailure, ...bridge }: BridgeOptions): ReplayDeadLetter {
  return async (id) => {
    const answer = await post(bridge, '/dead-letters/replay', { id }, replayTimeoutMs);
    if (answer.status === 200) return { ok: true };
    const { code, detail } = asRecord(answer.body);
    if (isProblemCode(code) && replayProblems.includes(code))
      return { ok: false, problem: problem(code, typeof detail === 'string' ? detail : undefined) };
    onFailure?.(answer.failure ?? `the bridge answered with status ${answer.status}`);
    return { ok: false, problem: problem('bridge-unavailable') };
  };
}

export function createWakeReplays({ onFailure, ...bridge }: BridgeOptions): WakeReplays {
  return async (route) => {
    const answer = await post(bridge, '/replays', { route }, wakeTimeoutMs);
    if (answer.status === 200) return 'woken';
    if (asRecord(answer.body)['code'] === 'route-unknown') return 'route-unknown';
    onFailure?.(answer.failure ?? `the bridge answered with status ${answer.status}`);
    return 'unreachable';
  };
}

export function createRouteControl({ onFailure, ...bridge }: BridgeOptions): RouteControl {
  /** Our own failure, or the bridge's: a route that it does not have, a state that it could not store. */
  function notTold(answer: Answer): { readonly ok: false; readonly problem: Problem } {
    const { code, detail } = asRecord(answer.body);
    if (code === 'not-found' || code === 'database-unavailable')
      return { ok: false, problem: problem(code, typeof detail === 'string' ? detail : undefined) };
    onFailure?.(answer.failure ?? `the bridge answered with status ${answer.status}`);
    return { ok: false, problem: problem('bridge-unavailable') };
  }
  return {
    async list() {
      const answer = await ask(bridge, 'GET', '/routes', routesTimeoutMs);
      const parsed = parseWith(routesAnswerSchema, answer.body);
      return answer.status === 200 && parsed.ok
        ? { ok: true, value: parsed.value.routes }
        : notTold(answer);
    },
    async change(name, kind, by) {
      const body = { name, by: by.slice(0, maxByLength) };
      const answer = await post(bridge, `/routes/${kind}`, body, routesTimeoutMs);
      const parsed = parseWith(routeStatusSchema, answer.body);
      return answer.status === 200 && parsed.ok ? parsed : notTold(answer);
    },
  };
}

export function createWaitingTraces({ onFailure, ...bridge }: BridgeOptions): WaitingTraces {
  return async (messageId) => {
    const answer = await post(bridge, '/traces', { id: messageId }, wakeTimeoutMs);
    const parsed = parseWith(tracesAnswerSchema, answer.body);
    if (answer.status === 200 && parsed.ok) return parsed.value.traces;
    onFailure?.(answer.failure ?? `the bridge answered with status ${answer.status}`);
    return undefined;
  };
}

interface Answer {
  /** Absent where there was no whole answer. */
  readonly status?: number;
  readonly body?: unknown;
  readonly failure?: string;
}

/** Connections that fail, and a bridge that is starting or a standby: the next try may meet another one. */
function isPassing({ status, failure }: Answer): boolean {
  return status === 503 || failure === 'no connection';
}

function post(
  bridge: BridgeOptions,
  path: string,
  body: unknown,
  timeoutMs: number,
): Promise<Answer> {
  return ask(bridge, 'POST', path, timeoutMs, JSON.stringify(body));
}

async function ask(
  { url, token }: BridgeOptions,
  method: 'GET' | 'POST',
  path: string,
  timeoutMs: number,
  body?: string,
): Promise<Answer> {
  try {
    const response = await fetch(new URL(path, url), {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body }),
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
    const text = await boundedText(response);
    if (text === undefined) return { failure: `an answer of more than ${maxAnswerBytes} bytes` };
    return { status: response.status, body: parsedOrUndefined(text) };
  } catch (error) {
    const timedOut = error instanceof DOMException && error.name === 'TimeoutError';
    return { failure: timedOut ? 'no answer in time' : 'no connection' };
  }
}

async function boundedText({ body }: Response): Promise<string | undefined> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  // Leaving the loop cancels the rest of the answer.
  for await (const part of body ?? []) {
    bytes += part.byteLength;
    if (bytes > maxAnswerBytes) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function parsedOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
