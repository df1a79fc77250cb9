// The traces of one route: what happened to each message that had trouble, told while it waits, kept once it is settled.
import type { Message } from '../../functions/contract/message.ts';
import type { Trace, TraceAttempt } from '../../functions/contract/trace.ts';
import type { Verdict } from '../handler/verdict.ts';

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
  readonly verdict: Verdict;
}

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
  /** As many at most as the route's windows hold. */
  readonly #troubles = new Map<Message, Trouble>();

  /** Without a store, a trace ends with the trouble. */
  constructor(route: string, store: TraceStore | undefined) {
    this.#route = route;
    this.#store = store;
  }

  /** Notes a request for its messages; for those that went well at once there is nothing to note. */
  tried(messages: readonly Message[], { verdict, ...request }: Tried): void {
    const failures = verdict.kind === 'answered' ? verdict.failures : undefined;
    if (failures?.size === 0 && this.#troubles.size === 0) return;
    const attempt = (kind: TraceAttempt['verdict'], reason?: string): TraceAttempt => ({
      at: request.at,
      latencyMs: Math.round(request.latencyMs),
      ...(request.status !== undefined && { status: request.status }),
      verdict: kind,
      ...(reason !== undefined && { reason }),
      messages: messages.length,
    });
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

  /** The message is in the quarantine, whether a handler was asked or not. */
  quarantined(message: Message): void {
    this.#end(message, 'quarantined');
  }

  /** The traces of messages with this id that are waiting. */
  waiting(messageId: string): Trace[] {
    return [...this.#troubles]
      .filter(([message]) => message.id === messageId)
      .map(([message, trouble]) => this.#traceOf(message, trouble, { state: 'waiting' }));
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

  #end(message: Message, state: 'delivered' | 'quarantined'): void {
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
    return { route: this.#route, topic, time, ...end, tries, attempts: [...attempts] };
  }
}

const verbs = { hold: 'held', rejected: 'rejected', gone: 'gone' } as const;
