// What somebody sends again to the handler of a route, past its lanes: whatever is said to it changes nothing for the route.
import type { Message } from '../../functions/contract/message.ts';
import type { Evaluator } from '../../functions/expression/evaluator.ts';
import { untilAborted } from '../base/aborted.ts';
import type { RouteConfig } from '../config/config.ts';
import type { ReplayVerdict } from '../dead-letters/dead-letter-replay.ts';
import { sendEvaluated } from '../forwarding/evaluated-replay.ts';
import type { RequestSpans } from '../forwarding/request-spans.ts';
import type { Sink } from '../handler/sink.ts';
import type { Account } from '../memory/budget.ts';
import type { RouteGate } from './route-gate.ts';

export interface ReplaySenderOptions {
  readonly config: Pick<RouteConfig, 'maxBatchBytes'>;
  readonly sink: Sink;
  /** Absent where the route has no expressions. */
  readonly evaluator: Evaluator | undefined;
  readonly gate: RouteGate;
  /** Of the route, for its requests. */
  readonly memory: Account;
  readonly spans: RequestSpans | undefined;
}

export class ReplaySender {
  readonly #options: ReplaySenderOptions;
  readonly #sending = new Set<Promise<unknown>>();

  constructor(options: ReplaySenderOptions) {
    this.#options = options;
  }

  /** Sends messages in one request, in the format of the route. */
  async send(messages: readonly Message[]): Promise<ReplayVerdict> {
    const { evaluator, config } = this.#options;
    const send = (some: readonly Message[]) => this.#send(some);
    const sending =
      evaluator === undefined
        ? send(messages)
        : sendEvaluated(messages, { evaluator, maxBytes: config.maxBatchBytes, send });
    this.#sending.add(sending);
    try {
      return await sending;
    } finally {
      this.#sending.delete(sending);
    }
  }

  /** Resolves when nothing is being sent. Cut off, what the handler has taken would be sent to it once more. */
  async drain(signal: AbortSignal): Promise<void> {
    if (this.#sending.size > 0)
      await Promise.race([Promise.allSettled(this.#sending), untilAborted(signal)]);
  }

  async #send(messages: readonly Message[]): Promise<ReplayVerdict> {
    const { sink, gate, memory, spans } = this.#options;
    if (!gate.isOpen) return notSent(gate.state?.kind ?? 'unknown');
    const built = sink.request(messages);
    if (built.kind === 'unsendable') return { kind: 'rejected', reason: built.reason };
    const bytes = built.request.body.byteLength;
    if (!memory.fits(bytes)) return memory.room(bytes).then(() => this.#send(messages));
    memory.take(bytes);
    const ids = () => new Set(messages.map(({ id }) => id));
    const span = spans?.beginAgain(messages, built.request);
    const attempt = await sink
      .post(span?.request ?? built.request, ids)
      .finally(() => memory.give(bytes));
    span?.end(attempt);
    const { verdict } = attempt;
    return verdict.kind === 'gone' ? { kind: 'rejected', reason: verdict.reason } : verdict;
  }
}

/** To a route that is not to be sent anything. */
function notSent(state: string): ReplayVerdict {
  const reason = `the route is ${state}`;
  return { kind: 'hold', reason, overloaded: false, broken: false };
}
