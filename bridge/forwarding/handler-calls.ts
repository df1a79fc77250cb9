// Asking a route's handler: behind the gate, counted and timed, and what was last wrong with it.
import type { Message } from '../../functions/contract/message.ts';
import type { Attempt, Sink } from '../handler/sink.ts';
import type { Verdict } from '../handler/verdict.ts';
import type { Account } from '../memory/budget.ts';
import type { RouteMetrics } from '../metrics/metrics.ts';
import type { Gate } from './gate.ts';
import type { RequestSpans } from './request-spans.ts';
import type { Targets, TargetVerdict } from './targets.ts';
import type { Traces } from './traces.ts';

/** One request and what became of it. */
export interface Call extends Omit<Attempt, 'verdict'> {
  readonly verdict: Verdict | TargetVerdict;
  /** When it began, RFC 3339. */
  readonly at: string;
  /** Time until the whole answer was there. */
  readonly latencyMs: number;
  /** False where the messages cannot be sent like this, and the handler was not asked. */
  readonly isSent: boolean;
}

/** Told of each request to the handler, and of what cannot be sent; it must not throw. */
export type OnCall = (messages: readonly Message[], call: Call) => void;

/** The last failure of a handler. */
export interface LastError {
  readonly at: string;
  /** Of the answer; absent where there was none. */
  readonly status?: number;
  readonly reason: string;
}

export interface HandlerCallsOptions {
  readonly sink: Sink;
  readonly gate: Gate;
  /** Of the route, for bodies of requests in flight. */
  readonly memory: Account;
  readonly metrics: Pick<RouteMetrics, 'request'>;
  readonly traces: Traces;
  /** Absent where all messages go to one URL. */
  readonly targets: Targets | undefined;
  /** Absent where nobody looks on. */
  readonly onCall?: OnCall | undefined;
  /** Absent where no spans are collected. */
  readonly spans?: RequestSpans | undefined;
}

export class HandlerCalls {
  readonly #options: HandlerCallsOptions;
  #inFlight = 0;
  #lastError: LastError | undefined;
  #onEnd: (() => void)[] = [];

  constructor(options: HandlerCallsOptions) {
    this.#options = options;
  }

  /** Requests in flight. */
  get inFlight(): number {
    return this.#inFlight;
  }

  get lastError(): LastError | undefined {
    return this.#lastError;
  }

  /**
   * Sends the messages in one request, to be called while the gate is open; what cannot be sent is rejected. Undefined
   * where memory had no room for the request: then it may have now, and nobody was asked. `bodies` stand in the request
   * for the messages, where the route makes others of them.
   */
  async ask(messages: readonly Message[], bodies = messages): Promise<Call | undefined> {
    const { sink, gate, memory, metrics, traces, targets, spans } = this.#options;
    const { version } = gate;
    const at = new Date().toISOString();
    // Encoded when it is sent, again at each try: kept from the arrival on, the text of a whole window would
    // outlive the young generation and double the memory.
    const built = sink.request(bodies);
    if (built.kind === 'unsendable') {
      const verdict: Verdict = { kind: 'rejected', reason: built.reason, final: true };
      const unsent = { at, latencyMs: 0, isSent: false, status: undefined, verdict };
      traces.tried(messages, unsent);
      this.#options.onCall?.(messages, unsent);
      // Several are sent in parts; one never will be.
      if (messages.length === 1) this.#lastError = { at, reason: built.reason };
      return unsent;
    }
    const { url } = built.request;
    const unasked = targets?.passedOver(url, performance.now());
    if (unasked !== undefined)
      return { at, latencyMs: 0, isSent: false, status: undefined, verdict: unasked };
    const bytes = built.request.body.byteLength;
    // Returned and not awaited: the body is not kept meanwhile.
    if (!memory.fits(bytes)) return memory.room(bytes);
    memory.take(bytes);
    const startedMs = performance.now();
    this.#inFlight++;
    const span = spans?.begin(messages, built.request);
    const attempt = await sink
      .post(span?.request ?? built.request, () => new Set(messages.map(({ id }) => id)))
      .finally(() => {
        this.#inFlight--;
        memory.give(bytes);
      });
    const latencyMs = performance.now() - startedMs;
    const verdict = targets?.judged(url, attempt, performance.now()) ?? attempt.verdict;
    const call = { status: attempt.status, verdict, at, latencyMs, isSent: true };
    metrics.request(messages.length, call.latencyMs);
    traces.tried(messages, call);
    span?.end(call);
    this.#options.onCall?.(messages, call);
    const reason = whatIsWrong(call.verdict);
    if (reason !== undefined)
      this.#lastError = { at, reason, ...(call.status !== undefined && { status: call.status }) };
    if (call.verdict.kind === 'gone') gate.gone(call.verdict.reason, version);
    for (const resolve of this.#onEnd.splice(0)) resolve();
    return call;
  }

  /** Resolves when the gate is closed and no request is in flight; not while it is open. */
  async closedAndIdle(): Promise<void> {
    while (this.#options.gate.isOpen || this.#inFlight > 0)
      await new Promise<void>((resolve) => this.#onEnd.push(resolve));
  }
}

function whatIsWrong(verdict: Verdict | TargetVerdict): string | undefined {
  if (verdict.kind !== 'answered') return verdict.reason;
  const [failure] = verdict.failures.values();
  return failure && (failure.reason ?? 'no reason given');
}
