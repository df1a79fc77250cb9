// Messages on their way to the handler, and one round of them: what is left to send, and what has to wait.
import { estimateEnvelopeBytes } from '../../functions/contract/envelope.ts';
import { topicFault } from '../../functions/contract/topic.ts';
import type { Delivery } from '../base/delivery.ts';
import type { Unfinished } from './batcher.ts';
import type { Suspicion } from './culprit.ts';
import type { Batchable } from './lane.ts';

/** No request is so large. A small integer: of any other number V8 keeps an object for each message. */
const unlimited = 2 ** 30;

/** What the batcher asks for, and does not change, stays with the delivery: each field is memory of every message that waits. */
export class Outgoing implements Batchable {
  readonly delivery: Delivery;
  readonly bytes: number;
  /** How often the handler was asked. */
  attempts = 0;
  /** How often the handler refused it by itself. */
  refusals = 0;
  /** Maximum messages that a request with it may have. */
  maxBatchSize = unlimited;
  /** What speaks against it, where it ever failed without being refused. */
  suspicion: Suspicion | undefined = undefined;
  /** How often something was thrown on its way while it was alone in a request. */
  breaks = 0;
  /** Whether it is settled: nothing more is to be done with it. */
  isFinished = false;
  next: Outgoing | undefined = undefined;

  constructor(delivery: Delivery) {
    this.delivery = delivery;
    this.bytes = estimateEnvelopeBytes(delivery.message);
  }

  get topic(): string {
    return this.delivery.message.topic;
  }

  get arrivedMs(): number {
    return this.delivery.arrivedMs;
  }
}

/** Why no handler is asked about a message, in words; undefined where nothing speaks against it. */
export function brokenDelivery({
  fault,
  message,
}: Pick<Delivery, 'fault' | 'message'>): string | undefined {
  if (fault !== undefined) return fault;
  const broken = topicFault(message.topic);
  return broken === undefined ? undefined : `the broker sent a topic that ${broken}`;
}

/** A batch while it is sent, in one request or several. The order of each topic holds. */
export class Round {
  left: Outgoing[];
  readonly #kept: Outgoing[] = [];
  #afterMs = 0;

  constructor(batch: readonly Outgoing[]) {
    this.left = [...batch];
  }

  takeFront(count: number): Outgoing[] {
    if (count < this.left.length) return this.left.splice(0, count);
    const all = this.left;
    this.left = [];
    return all;
  }

  /** Takes one that is the first of its topic. */
  take(item: Outgoing): Outgoing[] {
    return this.left.splice(this.left.indexOf(item), 1);
  }

  /** Of what was taken, that of which nobody has said yet what becomes of it. */
  undecided(run: readonly Outgoing[]): Outgoing[] {
    const decided = new Set([...this.left, ...this.#kept]);
    return run.filter((item) => !item.isFinished && !decided.has(item));
  }

  /** Puts back what was taken last. */
  putBack(run: readonly Outgoing[]): void {
    this.left = [...run, ...this.left];
  }

  /** Sends messages again after a while: until then their topics wait, or the order would be lost. */
  keep(items: readonly Outgoing[], afterMs: number): void {
    const topics = new Set(items.map(({ topic }) => topic));
    this.#kept.push(...items, ...this.left.filter(({ topic }) => topics.has(topic)));
    this.left = this.left.filter(({ topic }) => !topics.has(topic));
    this.#afterMs = Math.max(this.#afterMs, afterMs);
  }

  /**
   * What is not finished, for the next round. With something left that is not before `afterMs`; what was kept then
   * comes along, rather sooner than that all others wait as long as it.
   */
  giveUp(afterMs: number): Unfinished<Outgoing> {
    const isAllKept = this.left.length === 0;
    return {
      retry: [...this.#kept, ...this.left],
      afterMs: isAllKept ? this.#afterMs : afterMs,
    };
  }
}
