// The api's side of the private way to the bridge: wakes it for recorded commands, has dead letters replayed, and
// looks at its routes.
import * as z from 'zod';
import { fullJitterMs } from '../../contract/backoff.ts';
import { type DeliverRequest, deliverAnswerSchema, type Outcome } from '../../contract/command.ts';
import { parseWith } from '../../contract/parse.ts';
import { pause } from '../../contract/pause.ts';
import { isProblemCode, type Problem, type ProblemCode, problem } from '../../contract/problem.ts';
import {
  routeAttemptsSchema,
  routeChangesSchema,
  routeSeriesSchema,
  routeStatesSchema,
} from '../../contract/route-history.ts';
import { maxByLength, routeStatusSchema, routesAnswerSchema } from '../../contract/route-status.ts';
import { routeTestSchema } from '../../contract/route-test.ts';
import { type Trace, tracesAnswerSchema } from '../../contract/trace.ts';
import { askAll, post } from './ask.ts';
import type { Bridges } from './bridges.ts';
import type { Answer } from './exchange.ts';
import {
  mergedAttempts,
  mergedChanges,
  mergedRoutes,
  mergedSeries,
  mergedStates,
} from './merged.ts';
import type { RouteControl, Told } from './route-control.ts';
import {
  changeTimeoutSeconds,
  replayTimeoutSeconds,
  testTimeoutSeconds,
  wakeTimeoutSeconds,
} from './timeouts.ts';

export interface BridgeOptions {
  readonly bridges: Bridges;
  /** Told why the bridge could not be asked; nothing secret in it. */
  readonly onFailure?: (reason: string) => void;
}

/**
 * Wakes the bridge and waits, for `timeoutMs` and up to a second more. Resolves with what the bridge knows of the
 * commands, or with undefined where it could not be asked. A bridge that restarts is asked again meanwhile.
 */
export type Deliver = (
  request: DeliverRequest,
  /** Ends it, as what is waited for has been found out in another way. */
  signal?: AbortSignal,
) => Promise<readonly Outcome[] | undefined>;

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
const routeProblems: readonly ProblemCode[] = [
  'not-found',
  'database-unavailable',
  'invalid-request',
  'rate-limited',
];
const faultsSchema = z.object({
  errors: z.array(z.object({ field: z.string(), rule: z.string() })),
});
const replayProblems: readonly ProblemCode[] = [
  'not-found',
  'route-unknown',
  'handler-refused',
  'handler-unavailable',
];

export function createDeliver({ onFailure, ...bridge }: BridgeOptions): Deliver {
  return async (request, signal) => {
    const deadlineMs = Date.now() + request.timeoutMs;
    for (let attempt = 0; ; attempt++) {
      const timeoutMs = Math.max(0, deadlineMs - Date.now());
      const answer = await post(
        bridge,
        '/deliver',
        { ...request, timeoutMs },
        timeoutMs + marginMs,
        signal,
      );
      if (signal?.aborted) return undefined;
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
      await pause(waitMs, signal);
    }
  };
}

export function createReplay({ onFailure, ...bridge }: BridgeOptions): ReplayDeadLetter {
  return async (id) => {
    const answer = await post(bridge, '/dead-letters/replay', { id }, replayTimeoutSeconds * 1000);
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
    const answer = await post(bridge, '/replays', { route }, wakeTimeoutSeconds * 1000);
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
    if (isProblemCode(code) && routeProblems.includes(code)) {
      const faults = parseWith(faultsSchema, answer.body);
      const errors = faults.ok ? faults.value.errors : undefined;
      const said = typeof detail === 'string' ? detail : undefined;
      return { ok: false, problem: problem(code, said, errors) };
    }
    onFailure?.(answer.failure ?? `the bridge answered with status ${answer.status}`);
    return { ok: false, problem: problem('bridge-unavailable') };
  }
  /** What the bridges answer to a look, which changes nothing. */
  async function told<S extends z.ZodType, T>(
    path: string,
    body: unknown,
    schema: S,
    merge: (told: readonly z.output<S>[]) => T,
  ): Promise<Told<T>> {
    const question = {
      method: body === undefined ? 'GET' : 'POST',
      path,
      timeoutMs: wakeTimeoutSeconds * 1000,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    } as const;
    const { told: parts, why } = await askAll(bridge, question, schema);
    return parts.length > 0 ? { ok: true, value: merge(parts) } : notTold(why);
  }
  const list = () =>
    told('/routes', undefined, routesAnswerSchema, (all) =>
      mergedRoutes(all.map(({ routes }) => routes)),
    );
  return {
    async test(name, topic) {
      const body = { name, ...(topic !== undefined && { topic }) };
      const answer = await post(bridge, '/routes/test', body, testTimeoutSeconds * 1000);
      const parsed = parseWith(routeTestSchema, answer.body);
      return answer.status === 200 && parsed.ok ? parsed : notTold(answer);
    },
    list,
    series: (request) => told('/routes/series', request, routeSeriesSchema, mergedSeries),
    attempts: (name) =>
      told('/routes/attempts', { name }, routeAttemptsSchema, (all) =>
        mergedAttempts(all.map(({ attempts }) => attempts)),
      ),
    states: (name) =>
      told('/routes/states', { name }, routeStatesSchema, (all) =>
        mergedStates(all.map(({ states }) => states)),
      ),
    changes: () =>
      told('/changes', undefined, routeChangesSchema, (all) =>
        mergedChanges(all.map(({ changes }) => changes)),
      ),
    async change(name, kind, by) {
      const body = { name, by: by.slice(0, maxByLength) };
      const answer = await post(bridge, `/routes/${kind}`, body, changeTimeoutSeconds * 1000);
      const parsed = parseWith(routeStatusSchema, answer.body);
      return answer.status === 200 && parsed.ok ? parsed : notTold(answer);
    },
  };
}

export function createWaitingTraces({ onFailure, ...bridge }: BridgeOptions): WaitingTraces {
  return async (messageId) => {
    const question = {
      method: 'POST',
      path: '/traces',
      timeoutMs: wakeTimeoutSeconds * 1000,
      body: JSON.stringify({ id: messageId }),
    } as const;
    const { told, why } = await askAll(bridge, question, tracesAnswerSchema);
    const traces = told.flatMap((one) => one.traces);
    // Of a route that tells of it twice, as it came again by another bridge, one is enough.
    if (told.length > 0) return [...new Map(traces.map((trace) => [trace.route, trace])).values()];
    onFailure?.(why.failure ?? `the bridge answered with status ${why.status}`);
    return undefined;
  };
}

/** Connections that fail, and a bridge that is starting or a standby: the next try may meet another one. */
function isPassing({ status, failure }: Answer): boolean {
  return status === 503 || failure === 'no connection';
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
