// The traces of one route, or of a replay to it: what happened to each message that had trouble, told while it waits, kept once it is settled.
import { LRUCache } from 'lru-cache';
import type { Message } from '../../functions/contract/message.ts';
import type { Trace, TraceAttempt } from '../../functions/contract/trace.ts';
import type { Verdict } from '../handler/verdict.ts';
import type { RequestSpans } from './request-spans.ts';
import type { TargetVerdict } from './targets.ts';

/** Where traces are kept. It may lose some: nothing waits for it. */
export interface TraceStore {
  keep(messageId: string, trace: Trace): void;
  /** Writes down what it still has, until `signal` aborts. */
  drain(signal: AbortSignal): Promise<void>;
}

/** A request to the handler, and what became of it. */
export interface Tried {
  /** When it was sent; RFC 3339. */
  readonly at: string;
  readonly latencyMs: number;
  readonly status: number | undefined;
  readonly verdict: Verdict | TargetVerdict;
}

/** Messages that `where` dropped and that are still known of. */
const mostFiltered = 1000;

/** Of more tries than these, the first and the last are told. */
const firstAttempts = 5;
const lastAttempts = 15;

interface Trouble {
  tries: number;
  /** The attempts that are told; messages of one request share their values. */
  readonly attempts: TraceAttempt[];
}

export class Traces {
  readonly #route: string;
  readonly #store: TraceStore | undefined;
  readonly #replayId: string | undefined;
  readonly #spans: Pick<RequestSpans, 'ended'> | undefined;
  /** As many at most as the route's windows hold. */
  readonly #troubles = new Map<Message, Trouble>();
  /** The last that were dropped, as writing down each would cost as much as storing it. */
  readonly #filtered = new LRUCache<string, Trace>({ max: mostFiltered });

  /**
   * Without a store, a trace ends with the trouble. With `replayId` they are those of a replay. `spans` is told of messages
   * that end here.
   */
  constructor(
    route: string,
    store: TraceStore | undefined,
    replayId?: string,
    spans?: Pick<RequestSpans, 'ended'>,
  ) {
    this.#spans = spans;
    this.#route = route;
    this.#store = store;
    this.#replayId = replayId;
  }

  /** Notes a request for its messages; for those that went well at once there is nothing to note. */
  tried(messages: readonly Message[], { verdict, ...request }: Tried): void {
    const failures = verdict.kind === 'answered' ? verdict.failures : undefined;
    if (failures?.size === 0 && this.#troubles.size === 0) return;
    const attempt = (kind: TraceAttempt['verdict'], reason?: string) =>
      attemptAs(kind, reason, messages.length, request);
    const delivered = attempt('delivered');
    const failed =
      verdict.kind === 'answered' ? undefined : attempt(verbs[verdict.kind], verdict.reason);
    for (const message of messages) {
      const failure = failures?.get(message.id);
      if (failed !== undefined) this.#add(message, failed);
      else if (failure !== undefined)
        this.#add(message, attempt('failed', failure.reason ?? 'no reason given'));
      else if (this.#troubles.has(message)) {
        this.#add(message, delivered);
        this.#end(message, 'delivered');
      }
    }
  }

  /** The route's `where` has dropped the message. */
  filtered(message: Message): void {
    this.#spans?.ended(message, 'filtered');
    if (this.#troubles.has(message)) this.#end(message, 'filtered');
    else {
      const end = { state: 'filtered', settledAt: new Date().toISOString() } as const;
      this.#filtered.set(message.id, this.#traceOf(message, { tries: 0, attempts: [] }, end));
    }
  }

  /** The message is among the dead letters, whether a handler was asked or not. */
  quarantined(message: Message): void {
    this.#spans?.ended(message, 'quarantined');
    this.#end(message, 'quarantined');
  }

  /** A replay has given it up. */
  refused(message: Message): void {
    this.#spans?.ended(message, 'refused');
    this.#end(message, 'refused');
  }

  /** The traces of messages with this id that are in no store: of those that wait, and of one that was dropped. */
  waiting(messageId: string): Trace[] {
    const filtered = this.#filtered.get(messageId);
    const waiting = [...this.#troubles]
      .filter(([message]) => message.id === messageId)
      .map(([message, trouble]) => this.#traceOf(message, trouble, { state: 'waiting' }));
    return filtered === undefined ? waiting : [...waiting, filtered];
  }

  #add(message: Message, attempt: TraceAttempt): void {
    let trouble = this.#troubles.get(message);
    if (trouble === undefined) {
      trouble = { tries: 0, attempts: [] };
      this.#troubles.set(message, trouble);
    }
    trouble.tries++;
    trouble.attempts.push(attempt);
    if (trouble.attempts.length > firstAttempts + lastAttempts)
      trouble.attempts.splice(firstAttempts, 1);
  }

  #end(message: Message, state: Exclude<Trace['state'], 'waiting'>): void {
    const trouble = this.#troubles.get(message) ?? { tries: 0, attempts: [] };
    this.#troubles.delete(message);
    const end = { state, settledAt: new Date().toISOString() };
    this.#store?.keep(message.id, this.#traceOf(message, trouble, end));
  }

  #traceOf(
    { topic, time }: Message,
    { tries, attempts }: Trouble,
    end: Pick<Trace, 'state' | 'settledAt'>,
  ): Trace {
    const by = this.#replayId === undefined ? {} : { replayId: this.#replayId };
    return { route: this.#route, topic, time, ...by, ...end, tries, attempts: [...attempts] };
  }
}

/** A whole request: it failed as soon as one of its messages did. */
export function attemptOf(
  messages: readonly Message[],
  { verdict, ...request }: Tried,
): TraceAttempt {
  if (verdict.kind !== 'answered')
    return attemptAs(verbs[verdict.kind], verdict.reason, messages.length, request);
  const [failure] = verdict.failures.values();
  return failure === undefined
    ? attemptAs('delivered', undefined, messages.length, request)
    : attemptAs('failed', failure.reason ?? 'no reason given', messages.length, request);
}

function attemptAs(
  verdict: TraceAttempt['verdict'],
  reason: string | undefined,
  messages: number,
  { at, latencyMs, status }: Omit<Tried, 'verdict'>,
): TraceAttempt {
  return {
    at,
    latencyMs: Math.round(latencyMs),
    ...(status !== undefined && { status }),
    verdict,
    ...(reason !== undefined && { reason }),
    messages,
  };
}

const verbs = {
  hold: 'held',
  rejected: 'rejected',
  gone: 'gone',
  'target refused': 'rejected',
} as const;
