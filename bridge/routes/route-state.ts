// Whether a route sends to its handler: active, paused by a person, or disabled by its handler. Which change leads
// where; it touches nothing.
import * as z from 'zod';

const routeStateSchema = z.object({
  kind: z.enum(['active', 'paused', 'disabled']),
  /** Grows by one with each change; 0 is a route that was never changed. */
  version: z.int().min(0),
  /** When it came to that, RFC 3339. */
  since: z.string().optional(),
  /** Who paused or resumed it, where that is known. */
  by: z.string().optional(),
  /** Why it is disabled. */
  reason: z.string().optional(),
  /** When somebody last asked for the next attempt at once, RFC 3339. */
  retriedAt: z.string().optional(),
});

export type RouteState = z.output<typeof routeStateSchema>;

export type RouteChange =
  | { readonly kind: 'pause' | 'resume' | 'retry'; readonly by?: string | undefined }
  /** A request answered so that began while the state had this version. */
  | { readonly kind: 'gone'; readonly reason: string; readonly version: number };

/** A state as its JSON was stored; undefined where it makes no sense. */
export function parseRouteState(text: string): RouteState | undefined {
  try {
    return routeStateSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

export const neverChanged: RouteState = { kind: 'active', version: 0 };

/**
 * The state after a change; the same one where it changes nothing. A person goes before the handler: what a handler
 * answered to a request from before the last change says nothing about the time after it, so a pause is not overruled
 * by a late 410, nor is a resume.
 */
export function changedState(state: RouteState, change: RouteChange, at: string): RouteState {
  const version = state.version + 1;
  switch (change.kind) {
    case 'pause':
      return state.kind === 'paused'
        ? state
        : { kind: 'paused', version, since: at, ...by(change) };
    case 'resume':
      return state.kind === 'active'
        ? state
        : { kind: 'active', version, since: at, ...by(change) };
    case 'retry':
      return state.kind === 'active' ? { ...state, version, retriedAt: at } : state;
    case 'gone':
      return state.kind !== 'active' || state.version !== change.version
        ? state
        : { kind: 'disabled', version, since: at, reason: change.reason };
  }
}

/** Whether the next attempt is to be at once, now that one state has followed another. */
export function asksForRetry(before: RouteState, after: RouteState): boolean {
  if (after.kind !== 'active') return false;
  return (
    before.kind !== 'active' ||
    (after.retriedAt !== undefined && after.retriedAt !== before.retriedAt)
  );
}

function by(change: { readonly by?: string | undefined }): { readonly by?: string } {
  return change.by === undefined ? {} : { by: change.by };
}
