// Messages that are sent again to a route with `where` or `transform`: what these let pass is sent, and the rest is said of.
import type { Message } from '../../functions/contract/message.ts';
import type { ItemFailure } from '../../functions/contract/receipt.ts';
import type { Evaluator } from '../../functions/expression/evaluator.ts';
import type { ReplayVerdict } from '../dead-letters/dead-letter-replay.ts';

/**
 * What becomes of the messages. Those that `where` drops or an expression fails on are named as failures that no try will
 * mend: somebody asked for them, so they are told, and a dead letter stays one.
 */
export async function sendEvaluated(
  messages: readonly Message[],
  {
    evaluator,
    maxBytes,
    send,
  }: {
    readonly evaluator: Evaluator;
    readonly maxBytes: number;
    readonly send: (messages: readonly Message[]) => Promise<ReplayVerdict>;
  },
): Promise<ReplayVerdict> {
  const outcomes = await evaluator.evaluate(messages, maxBytes);
  const failures = new Map<string, ItemFailure>();
  const wanted: Message[] = [];
  for (const [index, message] of messages.entries()) {
    const outcome = outcomes[index];
    const { id: itemIdentifier } = message;
    if (outcome === undefined)
      failures.set(itemIdentifier, { itemIdentifier, reason: 'no room in the request' });
    else if (outcome.kind === 'passed') wanted.push(outcome.message);
    else {
      const reason = outcome.kind === 'failed' ? outcome.reason : 'where is not true for it';
      failures.set(itemIdentifier, { itemIdentifier, reason, retryable: false });
    }
  }
  if (wanted.length === 0) return { kind: 'answered', failures, duplicates: 0 };
  const verdict = await send(wanted);
  if (verdict.kind !== 'answered') return verdict;
  return { ...verdict, failures: new Map([...failures, ...verdict.failures]) };
}
