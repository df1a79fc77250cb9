// Asking a route's handler: behind the gate, counted and timed, and what was last wrong with it.
import type { Message } from '../../functions/contract/message.ts';
import type { Attempt, Sink } from '../handler/sink.ts';
import type { Verdict } from '../handler/verdict.ts';
import type { RouteMetrics } from '../metrics.ts';
import type { Gate } from '../routes/route-gate.ts';
import type { Traces } from './traces.ts';

/** One request and what became of it. */
export interface Call extends Attempt {
  /** When it began, RFC 3339. */
  readonly at: string;
  /** Time until the whole answer was there. */
  readonly latencyMs: number;
  /** False where the messages cannot be sent like this, and the handler was not asked. */
  readonly isSent: boolean;
}

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
  readonly metrics: Pick<RouteMetrics, 'request'>;
  readonly traces: Traces;
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

  /** Sends the messages in one request, to be called while the gate is open; what cannot be sent is rejected. */
  async ask(messages: readonly Message[]): Promise<Call> {
    const { sink, gate, metrics, traces } = this.#options;
    const { version } = gate;
    const at = new Date().toISOString();
    // Encoded when it is sent, again at each try: kept from the arrival on, the text of a whole window would
    // outlive the young generation and double the memory.
    const built = sink.request(messages);
    if (built.kind === 'unsendable') {
      const verdict: Verdict = { kind: 'rejected', reason: built.reason, final: true };
      const unsent = { at, latencyMs: 0, isSent: false, status: undefined, verdict };
      traces.tried(messages, unsent);
      // Several are sent in parts; one never will be.
      if (messages.length === 1) this.#lastError = { at, reason: built.reason };
      return unsent;
    }
    const startedMs = performance.now();
    this.#inFlight++;
    const attempt = await sink.post(built.request, () => new Set(messages.map(({ id }) => id)));
    this.#inFlight--;
    const latencyMs = performance.now() - startedMs;
    const call = { ...attempt, at, latencyMs, isSent: true };
    metrics.request(messages.length, call.latencyMs);
    traces.tried(messages, call);
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

function whatIsWrong(verdict: Verdict): string | undefined {
  if (verdict.kind !== 'answered') return verdict.reason;
  const [failure] = verdict.failures.values();
  return failure && (failure.reason ?? 'no reason given');
}
