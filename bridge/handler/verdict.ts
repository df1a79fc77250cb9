// What a handler's answer means for a batch. The one place that decides it; it touches nothing.
import { faultsText, parseWith } from '../../functions/contract/parse.ts';
import {
  type ClientChange,
  type ItemFailure,
  receiptSchema,
  speaksOfFailures,
} from '../../functions/contract/receipt.ts';
import { maxRetryAfterMs } from '../config/route.ts';

/** The answer to one request, or why there was none. */
export type Answer =
  | {
      readonly kind: 'response';
      readonly status: number;
      readonly retryAfter?: string;
      readonly body: string;
    }
  /** `broken` says that it will not mend itself; `own`, that it is the handler itself that failed. */
  | {
      readonly kind: 'failed';
      readonly reason: string;
      readonly broken?: boolean;
      readonly own?: true;
    };

export type Verdict =
  /** The handler took the batch; `failures` by message id, all others are stored. */
  | {
      readonly kind: 'answered';
      readonly failures: ReadonlyMap<string, ItemFailure>;
      /** How many of them it had stored already. */
      readonly duplicates: number;
      /** Clients that are online or offline now and were not before, where our own ingest tells it. */
      readonly clients?: readonly ClientChange[];
    }
  /**
   * The handler is not able to take messages: keep them, and try again later. `overloaded` asks for fewer
   * requests at once; `broken` says that it will not mend itself; `suspicious`, that it may be about a message of
   * the batch: whether others are taken meanwhile will tell; `own`, that only the handler itself can have answered so,
   * and nothing that stands before it.
   */
  | {
      readonly kind: 'hold';
      readonly reason: string;
      readonly retryAfterMs?: number;
      readonly overloaded: boolean;
      readonly broken: boolean;
      readonly suspicious?: true;
      readonly own?: true;
    }
  /**
   * Some message of the batch is not acceptable: find it by splitting; alone, it is the culprit. `final` says that
   * no further try can help.
   */
  | { readonly kind: 'rejected'; readonly reason: string; readonly final?: true }
  /** The handler wants no more messages, until somebody says otherwise (as Standard Webhooks has it for 410). */
  | { readonly kind: 'gone'; readonly reason: string };

/**
 * Maximum characters of a reason: it goes into logs, traces, the status of the route and dead letters, and a receipt that
 * is wrong in each of its thousands of entries has as many faults.
 */
const maxReasonCharacters = 1000;

/** Failures that the handler itself answers. Proxies, load balancers and CDNs make 502 to 504, 511 and all from 520 on. */
const ownFailures: ReadonlySet<number> = new Set([500, 501, 506, 507, 508, 510]);

/**
 * `wasSent` tells whether a message id belongs to the batch. Any 2xx of a user's handler takes the batch, unless its body
 * speaks of failures and is no receipt. Our own ingest always answers with a receipt (`isIngest`): a 2xx without one is
 * somebody else's, such as the page of a captive portal, and stores nothing.
 */
export function verdictOf(
  answer: Answer,
  wasSent: (id: string) => boolean,
  nowMs: number,
  isIngest = false,
): Verdict {
  if (answer.kind === 'failed') {
    const { reason, broken = false, own = false } = answer;
    return hold(reason, { overloaded: !broken, broken, suspicious: !broken, own });
  }
  const { status, retryAfter, body } = answer;
  if (status >= 200 && status < 300) {
    if (isIngest || speaksOfFailures(body)) return receiptVerdict(body, wasSent);
    return { kind: 'answered', failures: new Map(), duplicates: 0 };
  }
  const reason = `the handler answered ${status}`;
  if (status === 408 || status === 425 || status === 429 || status >= 500) {
    const waitMs = retryAfterMs(retryAfter, nowMs);
    // Who asks to be left alone for a while is overloaded, whatever the messages are.
    const suspicious = status >= 500 && waitMs === undefined;
    const own = suspicious && ownFailures.has(status);
    return hold(reason, { overloaded: true, suspicious, own, retryAfterMs: waitMs });
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
  const { duplicates = 0, clients } = receipt.value;
  return { kind: 'answered', failures, duplicates, ...(clients !== undefined && { clients }) };
}

function hold(
  reason: string,
  {
    overloaded = false,
    broken = false,
    suspicious = false,
    own = false,
    retryAfterMs = undefined as number | undefined,
  },
): Verdict {
  return {
    kind: 'hold',
    reason: reason.slice(0, maxReasonCharacters).toWellFormed(),
    overloaded,
    broken,
    ...(suspicious && { suspicious }),
    ...(own && { own }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
}

/** Retry-After, in seconds or as an HTTP date, as a bounded wait from now. */
function retryAfterMs(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined;
  const waitMs = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - nowMs;
  return Number.isNaN(waitMs) ? undefined : Math.min(Math.max(waitMs, 0), maxRetryAfterMs);
}
