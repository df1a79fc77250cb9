// A route's status in one word, from what its parts say; and what of it is a problem.
import type { RouteStatus } from '../../functions/contract/route-status.ts';
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

/** What a person did goes first, then what keeps messages from coming, then what keeps them from going. */
export function statePartsOf({ stored, unreadReason, sessions, holding }: RouteParts): StateParts {
  if (stored === undefined) return { state: 'unknown', ...reasonOf(unreadReason) };
  const { since, by, reason } = stored;
  const changed = { ...(since !== undefined && { since }), ...(by !== undefined && { by }) };
  if (stored.kind !== 'active') return { state: stored.kind, ...reasonOf(reason), ...changed };
  if (sessions.every(({ kind }) => kind === 'standby')) return { state: 'standby', ...changed };
  const failing = sessions.find(({ kind }) => kind !== 'active' && kind !== 'standby');
  if (failing !== undefined)
    return { state: 'disconnected', ...reasonOf(sessionReason(failing)), ...changed };
  if (holding !== undefined) return { state: 'holding', reason: holding, ...changed };
  return { state: 'active', ...changed };
}

/** What keeps the route from being ready, a line for each. A pause is somebody's wish, and no problem. */
export function problemsOf(name: string, parts: RouteParts): string[] {
  const { stored, unreadReason, sessions, holding } = parts;
  const problems = sessions.flatMap((session) => {
    // A standby is ready: its work is to wait.
    if (session.kind === 'active' || session.kind === 'standby') return [];
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
