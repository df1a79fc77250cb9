// How bad it is, as one number with its reasons, for those who have only the log: an alarm watches the number. Pure.
import type { Condition } from './condition.ts';
import type { Recently } from './recent-growth.ts';

/** 0: all is well. 1: somebody should look at it. 2: messages or commands of a part do not flow. */
export type Severity = 0 | 1 | 2;

export interface Problems {
  readonly severity: Severity;
  readonly reasons: readonly string[];
}

export interface ProblemSources {
  /** A line for each part of the bridge that is not ready. */
  readonly notReady: readonly string[];
  readonly conditions: readonly Condition[];
  /** Commands that the broker refused, or that expired before they could be sent. */
  readonly failedCommands: Recently | undefined;
}

/** A line of the log stays one that a person reads. */
const maxReasons = 10;
const maxReasonLength = 300;

/** Of these a bridge is not ready, with the same reason. */
const isNotReady: ReadonlySet<Condition['kind']> = new Set(['holding', 'disabled', 'disconnected']);

export function problemsOf({ notReady, conditions, failedCommands }: ProblemSources): Problems {
  const warnings = conditions
    .filter(({ kind }) => !isNotReady.has(kind))
    .map(({ kind, subject, reason }) => `${kind} (${subject}): ${reason}`);
  if (failedCommands !== undefined)
    warnings.push(`commands: ${failedCommands.count} failed or expired`);
  const reasons = [...notReady, ...warnings];
  return {
    severity: notReady.length > 0 ? 2 : warnings.length > 0 ? 1 : 0,
    reasons: reasons.slice(0, maxReasons).map((reason) => reason.slice(0, maxReasonLength)),
  };
}
