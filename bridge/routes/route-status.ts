// A route's status in one word, from what its parts say; and what of it is a problem.
import type { RouteStatus } from '../../functions/contract/route-status.ts';
import type { LastError } from '../forwarding/handler-calls.ts';
import type { MemberState } from '../session/member.ts';
import type { RouteState } from './route-state.ts';

export interface RouteParts {
  /** Undefined where it could not be read yet. */
  readonly stored: RouteState | undefined;
  /** Why it could not. */
  readonly unreadReason: string | undefined;
  readonly sessions: readonly MemberState[];
  /** Why the handler gets no messages, or undefined while it does. */
  readonly holding: string | undefined;
}

export type StateParts = Pick<RouteStatus, 'state' | 'reason' | 'since' | 'by'>;

/** What a route says of itself, for those who look often. */
export interface RouteBrief extends StateParts {
  readonly name: string;
  /** How long the handler has taken nothing; 0 while it does. */
  readonly holdingMs: number;
  readonly lastError: LastError | undefined;
  /** Since the bridge started, as `lostSessions`. */
  readonly quarantinedMessages: number;
  readonly lostSessions: number;
}

/** What a person did goes first, then what keeps messages from coming, then what keeps them from going. */
export function statePartsOf({ stored, unreadReason, sessions, holding }: RouteParts): StateParts {
  if (stored === undefined) return { state: 'unknown', ...reasonOf(unreadReason) };
  const { since, by, reason } = stored;
  const changed = { ...(since !== undefined && { since }), ...(by !== undefined && { by }) };
  if (stored.kind !== 'active') return { state: stored.kind, ...reasonOf(reason), ...changed };
  if (sessions.every(({ kind }) => kind === 'standby')) return { state: 'standby', ...changed };
  const failing = sessions.find(
    ({ kind }) =>
      kind !== 'active' && kind !== 'standby' && !(kind === 'away' && holding !== undefined),
  );
  if (failing !== undefined)
    return { state: 'disconnected', ...reasonOf(sessionReason(failing)), ...changed };
  if (holding !== undefined) return { state: 'holding', reason: holding, ...changed };
  return { state: 'active', ...changed };
}

/** How long things have been waiting, in ms; undefined where none is. */
interface Waiting {
  readonly isHolding: boolean;
  readonly holdingMs: number;
  readonly tries: number;
  readonly waitMs: number;
  readonly oldestMs: number | undefined;
}

/** Since when the handler takes nothing, when it is asked next, and since when a message waits. */
export function waitingOf(
  { isHolding, holdingMs, tries, waitMs, oldestMs }: Waiting,
  nowMs = Date.now(),
): Pick<RouteStatus, 'holdingSince' | 'nextTryAt' | 'tries' | 'oldestWaitingAt'> {
  const at = (ms: number) => new Date(ms).toISOString();
  return {
    ...(isHolding && { holdingSince: at(nowMs - holdingMs), tries }),
    ...(isHolding && waitMs > 0 && { nextTryAt: at(nowMs + waitMs) }),
    ...(oldestMs !== undefined && { oldestWaitingAt: at(nowMs - oldestMs) }),
  };
}

/** What keeps the route from being ready, a line for each. A pause is somebody's wish, and no problem. */
export function problemsOf(name: string, parts: RouteParts): string[] {
  const { stored, unreadReason, sessions, holding } = parts;
  const problems = sessions.flatMap((session) => {
    // A standby is ready: its work is to wait.
    if (session.kind === 'active' || session.kind === 'standby') return [];
    if (session.kind === 'away' && stored?.kind === 'paused') return [];
    const reason = sessionReason(session);
    return [`${session.kind}${reason === undefined ? '' : `: ${reason}`}`];
  });
  if (stored === undefined) problems.push(`its state cannot be read: ${unreadReason}`);
  else if (stored.kind === 'disabled') problems.push(`disabled: ${stored.reason}`);
  else if (stored.kind === 'active' && holding !== undefined) problems.push(`holding: ${holding}`);
  return problems.map((problem) => `route ${name}: ${problem}`);
}

function sessionReason(session: MemberState): string | undefined {
  return 'reason' in session ? session.reason : undefined;
}

function reasonOf(reason: string | undefined): { readonly reason?: string } {
  return reason === undefined ? {} : { reason };
}
