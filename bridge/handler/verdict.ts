// What a handler's answer means for a batch. The one place that decides it; it touches nothing.
import { faultsText, parseWith } from '../../functions/contract/parse.ts';
import { type ItemFailure, receiptSchema } from '../../functions/contract/receipt.ts';

/** The answer to one request, or why there was none. */
export type Answer =
  | {
      readonly kind: 'response';
      readonly status: number;
      readonly retryAfter?: string;
      readonly body: string;
    }
  /** `broken` says that it will not mend itself. */
  | { readonly kind: 'failed'; readonly reason: string; readonly broken?: boolean };

export type Verdict =
  /** The handler took the batch; `failures` by message id, all others are stored. */
  | {
      readonly kind: 'answered';
      readonly failures: ReadonlyMap<string, ItemFailure>;
      /** How many of them it had stored already. */
      readonly duplicates: number;
    }
  /**
   * The handler is not able to take messages: keep them, and try again later. `overloaded` asks for fewer
   * requests at once; `broken` says that it will not mend itself; `suspicious`, that it may be about a message of
   * the batch: whether others are taken meanwhile will tell.
   */
  | {
      readonly kind: 'hold';
      readonly reason: string;
      readonly retryAfterMs?: number;
      readonly overloaded: boolean;
      readonly broken: boolean;
      readonly suspicious?: true;
    }
  /**
   * Some message of the batch is not acceptable: find it by splitting; alone, it is the culprit. `final` says that
   * no further try can help.
   */
  | { readonly kind: 'rejected'; readonly reason: string; readonly final?: true }
  /** The handler wants no more messages, until somebody says otherwise (as Standard Webhooks has it for 410). */
  | { readonly kind: 'gone'; readonly reason: string };

/** Longest wait that a Retry-After can ask for; a route allows less (`retry.maxRetryAfterMs`). */
export const maxRetryAfterMs = 60 * 60_000;

/**
 * Most characters of a reason: it goes into logs, traces, the status of the route and dead letters, and a receipt that
 * is wrong in each of its thousands of entries has as many faults.
 */
const maxReasonCharacters = 1000;

/** `wasSent` tells whether a message id belongs to the batch. */
export function verdictOf(
  answer: Answer,
  wasSent: (id: string) => boolean,
  nowMs: number,
): Verdict {
  if (answer.kind === 'failed') {
    const { reason, broken = false } = answer;
    return hold(reason, { overloaded: !broken, broken, suspicious: !broken });
  }
  const { status, retryAfter, body } = answer;
  if (status >= 200 && status < 300) return receiptVerdict(body, wasSent);
  const reason = `the handler answered ${status}`;
  if (status === 408 || status === 425 || status === 429 || status >= 500) {
    const waitMs = retryAfterMs(retryAfter, nowMs);
    // Who asks to be left alone for a while is overloaded, whatever the messages are.
    const suspicious = status >= 500 && waitMs === undefined;
    return hold(reason, { overloaded: true, suspicious, retryAfterMs: waitMs });
  }
  if (status === 410) return { kind: 'gone', reason };
  // A wrong credential, path or redirect is a broken deployment. Unless only one message gets this answer: firewalls
  // refuse what looks like an attack with 403, and a path with levels of the topic may be one that nobody knows.
  if (status === 401 || status === 403 || status === 404 || status === 405 || status < 400) {
    return hold(reason, { broken: true, suspicious: true });
  }
  return {
    kind: 'rejected',
    reason: body === '' ? reason : `${reason}: ${body.slice(0, 200)}`,
    ...(status === 413 && { final: true }),
  };
}

const malformed = { broken: true, suspicious: true } as const;

/** A reply that is malformed, or names ids that were not sent, confirms nothing. */
function receiptVerdict(body: string, wasSent: (id: string) => boolean): Verdict {
  if (body.trim() === '') return { kind: 'answered', failures: new Map(), duplicates: 0 };
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return hold('the handler answered 2xx with a body that is not JSON', malformed);
  }
  const receipt = parseWith(receiptSchema, value);
  if (!receipt.ok)
    return hold(`the handler's receipt is malformed: ${faultsText(receipt.faults)}`, malformed);
  const failures = new Map(
    receipt.value.batchItemFailures.map((failure) => [failure.itemIdentifier, failure]),
  );
  for (const id of failures.keys()) {
    if (!wasSent(id)) return hold('the handler named a message that it was not sent', malformed);
  }
  return { kind: 'answered', failures, duplicates: receipt.value.duplicates ?? 0 };
}

function hold(
  reason: string,
  {
    overloaded = false,
    broken = false,
    suspicious = false,
    retryAfterMs = undefined as number | undefined,
  },
): Verdict {
  return {
    kind: 'hold',
    reason: reason.slice(0, maxReasonCharacters).toWellFormed(),
    overloaded,
    broken,
    ...(suspicious && { suspicious }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
}

/** Retry-After, in seconds or as an HTTP date, as a bounded wait from now. */
function retryAfterMs(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined;
  const waitMs = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - nowMs;
  return Number.isNaN(waitMs) ? undefined : Math.min(Math.max(waitMs, 0), maxRetryAfterMs);
}
