// When conditions begin and end: each is told once, and not one that is over before it has lasted. Pure but for its memory.
import type { Condition } from './condition.ts';

export interface Change {
  /** `changed`: it goes on for another reason. */
  readonly kind: 'began' | 'changed' | 'ended';
  readonly condition: Condition;
  /** When it began, in ms since 1970. */
  readonly sinceMs: number;
  readonly atMs: number;
}

interface Known {
  condition: Condition;
  readonly sinceMs: number;
  seenMs: number;
  isTold: boolean;
}

export class ConditionWatch {
  readonly #afterMs: number;
  readonly #known = new Map<string, Known>();

  /** A condition is told once it has lasted for `afterMs`, and its end once it has been away for as long. */
  constructor(afterMs: number) {
    this.#afterMs = afterMs;
  }

  /** What has changed, by the conditions that there are now. */
  look(conditions: readonly Condition[], nowMs: number): Change[] {
    const changes: Change[] = [];
    for (const condition of conditions) {
      const key = keyOf(condition);
      const known = this.#known.get(key);
      if (known === undefined) {
        const { sinceMs = nowMs } = condition;
        this.#known.set(key, { condition, sinceMs, seenMs: nowMs, isTold: false });
        continue;
      }
      const isOther = known.condition.reason !== condition.reason;
      known.condition = condition;
      known.seenMs = nowMs;
      if (known.isTold && isOther) changes.push(changeOf('changed', known, nowMs));
    }
    for (const [key, known] of this.#known) {
      const isThere = known.seenMs === nowMs;
      if (!known.isTold && isThere && nowMs - known.sinceMs >= this.#afterMs) {
        known.isTold = true;
        changes.push(changeOf('began', known, nowMs));
      }
      if (isThere || (known.isTold && nowMs - known.seenMs < this.#afterMs)) continue;
      this.#known.delete(key);
      if (known.isTold) changes.push(changeOf('ended', known, nowMs));
    }
    return changes;
  }
}

function keyOf({ kind, subject }: Condition): string {
  return `${kind} ${subject}`;
}

function changeOf(kind: Change['kind'], { condition, sinceMs }: Known, atMs: number): Change {
  return { kind, condition, sinceMs, atMs };
}
