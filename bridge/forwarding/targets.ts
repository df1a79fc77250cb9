// A route whose URL has levels of the topic has many targets: what 404, 410 or 429 says of one of them alone. Pure.
//
// The law: a target's messages are tried for `afterMs` from its first refusal, and are then given up one by one, so that
// no lane is held for longer. A target that is refused is asked again with one message a minute; a success ends it. As
// many new targets in a row, with no success between them, speak against the route, and their answers count as any
// route's.
import { createHash } from 'node:crypto';
import type { Verdict } from '../handler/verdict.ts';

/** One target refuses: its message is kept for a while, or given up. */
export interface TargetVerdict {
  readonly kind: 'target refused';
  readonly reason: string;
  readonly isGivenUp: boolean;
  /** How long to wait with the next try at least, and at most. */
  readonly minWaitMs: number;
  readonly maxWaitMs: number;
}

/** Statuses that are about what is at the URL, or about who asks how often for it. */
const targetStatuses: ReadonlySet<number | undefined> = new Set([404, 410, 429]);
const targetsOfRoute = 3;
/** A busy route has its successes meanwhile: some devices that go at once are no route that is gone. */
const withoutSuccessMs = 2000;
const askEveryMs = 60_000;
/** Of refused targets; the one that was refused first is forgotten. About 2 MB. */
const maxTargets = 10_000;

interface Refused {
  readonly sinceMs: number;
  askAtMs: number;
  reason: string;
}

export class Targets {
  readonly #afterMs: number;
  readonly #refused = new Map<string, Refused>();
  /** Newly refused, with no success since. */
  readonly #inARow = new Set<string>();
  #servedMs = Number.NEGATIVE_INFINITY;

  constructor(afterMs: number) {
    this.#afterMs = afterMs;
  }

  /** Targets that are remembered as refused. */
  get size(): number {
    return this.#refused.size;
  }

  /** The verdict on a message whose target is not to be asked now; undefined where it is. */
  passedOver(url: URL, nowMs: number): TargetVerdict | undefined {
    const refused = this.#refused.size === 0 ? undefined : this.#refused.get(keyOf(url));
    if (refused === undefined || nowMs - refused.sinceMs < this.#afterMs) return undefined;
    if (nowMs >= refused.askAtMs) {
      refused.askAtMs = nowMs + askEveryMs;
      return undefined;
    }
    return this.#verdictOn(refused, 0, nowMs);
  }

  /** The next message of each target asks it. */
  retryNow(): void {
    for (const refused of this.#refused.values()) refused.askAtMs = Number.NEGATIVE_INFINITY;
  }

  /** What an answer is about: the target, or whatever the verdict says. */
  judged(
    url: URL,
    { verdict, status }: { verdict: Verdict; status: number | undefined },
    nowMs: number,
  ): Verdict | TargetVerdict {
    if (verdict.kind === 'answered') {
      this.#servedMs = nowMs;
      this.#inARow.clear();
      if (this.#refused.size > 0) this.#refused.delete(keyOf(url));
      return verdict;
    }
    const key = keyOf(url);
    const known = this.#refused.get(key);
    if (!targetStatuses.has(status)) {
      // Not what it was asked for: the next message asks.
      if (known !== undefined) known.askAtMs = nowMs;
      return verdict;
    }
    if (known === undefined || nowMs - known.sinceMs < this.#afterMs) {
      this.#inARow.add(key);
      if (this.#inARow.size >= targetsOfRoute && nowMs - this.#servedMs >= withoutSuccessMs)
        return this.#ofRoute(verdict);
    }
    const { reason } = verdict;
    const refused = known ?? { sinceMs: nowMs, askAtMs: 0, reason };
    refused.askAtMs = nowMs + askEveryMs;
    refused.reason = reason;
    if (known === undefined) this.#remember(key, refused);
    const retryAfterMs = verdict.kind === 'hold' ? verdict.retryAfterMs : undefined;
    return this.#verdictOn(refused, retryAfterMs ?? 0, nowMs);
  }

  #remember(key: string, refused: Refused): void {
    const [first] = this.#refused.size >= maxTargets ? this.#refused.keys() : [];
    if (first !== undefined) this.#refused.delete(first);
    this.#refused.set(key, refused);
  }

  /** It says nothing of those targets then, also once the route goes on. */
  #ofRoute(verdict: Verdict): Verdict {
    for (const key of this.#inARow) this.#refused.delete(key);
    this.#inARow.clear();
    return verdict;
  }

  #verdictOn({ sinceMs, reason }: Refused, minWaitMs: number, nowMs: number): TargetVerdict {
    const leftMs = sinceMs + this.#afterMs - nowMs;
    return {
      kind: 'target refused',
      reason: `${reason} for its URL`,
      isGivenUp: leftMs <= 0,
      minWaitMs: Math.min(minWaitMs, Math.max(0, leftMs)),
      maxWaitMs: Math.max(0, leftMs),
    };
  }
}

/** Path and query; long ones, which devices may choose, by their hash. */
function keyOf({ pathname, search }: URL): string {
  const target = `${pathname}${search}`;
  return target.length <= 64 ? target : createHash('sha256').update(target).digest('base64url');
}
