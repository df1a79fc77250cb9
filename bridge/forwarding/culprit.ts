// Which message brings a handler down that is well otherwise. Evidence in, decision out; it touches nothing.
//
// A failed request says little: the handler may be away, and no message may be given up for that. So a failure counts against the
// messages of a request only once between two successes of other requests: a handler that is away has no successes,
// and nothing counts however long it stays away. What counts halves the company that a message may be sent in, until
// it stands alone. The law: a message is a culprit when it failed
//
// - in at least `tries` requests, with a success of another request between each two of them,
// - at least `tries` times by itself,
// - and for at least `afterMs`, counted from its first failure.

/** What speaks against a message. */
export interface Suspicion {
  /** Failures that count. */
  readonly charges: number;
  /** How many requests of the route had succeeded at the last of them. */
  readonly servedAt: number;
  /** Failures of the message by itself, whether they count or not. */
  readonly alone: number;
  /** Its first failure, by the clock of {@link Failure.nowMs}. */
  readonly sinceMs: number;
}

export interface Failure {
  /** Messages in the request, or 1 where the handler named the one that failed. */
  readonly together: number;
  /** How many requests of the route have succeeded so far. */
  readonly served: number;
  /** By any clock that is not set. */
  readonly nowMs: number;
}

export interface CulpritLimits {
  readonly tries: number;
  readonly afterMs: number;
}

/** What is known of a message after one more failure. */
export function suspicionAfter(before: Suspicion | undefined, failure: Failure): Suspicion {
  const { together, served, nowMs } = failure;
  const alone = (before?.alone ?? 0) + (together === 1 ? 1 : 0);
  if (before !== undefined && before.servedAt === served) return { ...before, alone };
  return {
    charges: (before?.charges ?? 0) + 1,
    servedAt: served,
    alone,
    sinceMs: before?.sinceMs ?? nowMs,
  };
}

/**
 * Whether the evidence is complete but for its time and repetition: the message has failed by itself, and others
 * often enough succeeded in between. It no longer stands for the handler: when it fails, the others go on.
 */
export function isIsolated({ charges, alone }: Suspicion, { tries }: CulpritLimits): boolean {
  return charges >= tries && alone > 0;
}

/** Whether the message has to become a dead letter. */
export function isCulprit(suspicion: Suspicion, limits: CulpritLimits, nowMs: number): boolean {
  const { charges, alone, sinceMs } = suspicion;
  return charges >= limits.tries && alone >= limits.tries && nowMs - sinceMs >= limits.afterMs;
}

/** A message as the search for a culprit sees it. */
export interface Searched {
  readonly topic: string;
  /** How often the handler was asked. */
  readonly attempts: number;
  /** Maximum messages that a request with it may have. */
  readonly maxBatchSize: number;
}

/** How many messages from the front of a batch may go in one request. */
export function togetherAtFront(batch: readonly Searched[]): number {
  let maxCount = Number.POSITIVE_INFINITY;
  let count = 0;
  for (const { maxBatchSize } of batch) {
    maxCount = Math.min(maxCount, maxBatchSize);
    if (count >= maxCount) break;
    count++;
  }
  return count;
}

/**
 * The message to find out with whether the handler is back: the first of its topic, and of those the one that the
 * handler was asked for least, so that a culprit never stands in the way of the others.
 */
export function probeOf<T extends Searched>(batch: readonly T[]): T | undefined {
  const topics = new Set<string>();
  let probe: T | undefined;
  for (const item of batch) {
    if (topics.has(item.topic)) continue;
    topics.add(item.topic);
    if (probe === undefined || item.attempts < probe.attempts) probe = item;
  }
  return probe;
}
