// What a route's `where` and `transform` make of the messages of a request before its handler is asked: what is dropped is
// settled, and what they fail on becomes a dead letter.
import type { Message } from '../../functions/contract/message.ts';
import type { Evaluator } from '../../functions/expression/evaluator.ts';
import type { RouteConfig } from '../config/config.ts';
import type { RouteCounters } from '../metrics/metrics.ts';
import type { Outgoing, Round } from './outgoing.ts';
import type { Settling } from './settling.ts';
import type { Traces } from './traces.ts';

export interface EvaluatingOptions {
  readonly config: Pick<RouteConfig, 'maxBatchBytes'>;
  readonly evaluator: Evaluator;
  readonly settling: Pick<Settling, 'refuse'>;
  readonly counters: Pick<RouteCounters, 'filtered'>;
  readonly traces: Pick<Traces, 'filtered'>;
}

/** What is to be sent: messages, and beside each what its handler gets. */
export interface Wanted {
  readonly run: readonly Outgoing[];
  readonly bodies: readonly Message[];
}

export class Evaluating {
  readonly #options: EvaluatingOptions;

  constructor(options: EvaluatingOptions) {
    this.#options = options;
  }

  /** What of `run` is to be sent now; what one request cannot carry is left to the round. */
  async evaluate(run: readonly Outgoing[], round: Round): Promise<Wanted> {
    const { config, evaluator, settling } = this.#options;
    const messages = run.map(({ delivery }) => delivery.message);
    const outcomes = await evaluator.evaluate(messages, config.maxBatchBytes);
    if (outcomes.length < run.length) round.putBack(run.slice(outcomes.length));
    const wanted: Outgoing[] = [];
    const bodies: Message[] = [];
    for (const [index, outcome] of outcomes.entries()) {
      const item = run[index] as Outgoing;
      if (outcome.kind === 'passed') {
        wanted.push(item);
        bodies.push(outcome.message);
      } else if (outcome.kind === 'dropped') this.#drop(item);
      else await settling.refuse(item, outcome.reason, round);
    }
    return { run: wanted, bodies };
  }

  #drop(item: Outgoing): void {
    const { counters, traces } = this.#options;
    item.isFinished = true;
    item.delivery.settle();
    counters.filtered++;
    traces.filtered(item.delivery.message);
  }
}
