// Ingest as the bridge invokes it: a batch is the event, and a receipt, or a problem as an HTTP answer, is what it returns.
import { type HttpAnswer, invokedBatch } from '../contract/invocation.ts';
import { type Problem, problem } from '../contract/problem.ts';
import type { Receipt } from '../contract/receipt.ts';
import { type BatchOptions, createTakeBatch } from './batch.ts';

export interface InvokedOptions extends BatchOptions {
  /** Told of failures that nobody should see in an answer. */
  readonly onError?: ((error: Error) => void) | undefined;
}

/** Stores the batch of an event; undefined for an event that has none. */
export function createInvoked({ onError, ...options }: InvokedOptions) {
  const take = createTakeBatch(options);
  return (event: unknown): Promise<Receipt | HttpAnswer> | undefined => {
    const invoked = invokedBatch(event);
    if (invoked === undefined) return undefined;
    return take(invoked.batch, invoked.query).then(
      (answer) => (answer.kind === 'receipt' ? answer.receipt : answerOf(answer.problem)),
      (error: Error) => {
        onError?.(error);
        return answerOf(problem('internal'));
      },
    );
  };
}

function answerOf(value: Problem): HttpAnswer {
  return {
    statusCode: value.status,
    headers: { 'content-type': 'application/problem+json' },
    body: JSON.stringify(value),
  };
}
