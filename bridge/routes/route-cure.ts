// What a person can do about a route that does not deliver, in words. Pure.
import type { RouteStatus } from '../../functions/contract/route-status.ts';
import type { LastError } from '../forwarding/handler-calls.ts';
import { handlerCure } from '../handler/handler-cure.ts';

interface Stopped {
  readonly state: RouteStatus['state'];
  readonly reason?: string | undefined;
  readonly lastError?: LastError | undefined;
}

/** One sentence or two; undefined where there is nothing to do. */
export function routeCure({ state, reason = '', lastError }: Stopped): string | undefined {
  switch (state) {
    case 'holding':
      return handlerCure(statusOf(reason, lastError), reason);
    case 'disabled':
      return 'Its handler wants no more messages: mend it, and resume the route.';
    case 'disconnected':
      return 'Look at the broker: whether it is there, and takes the credentials and the topic filter.';
    case 'unknown':
      return 'Look at the database: it says whether the route is paused.';
    case 'paused':
      return 'Resume it: what has gathered at the broker is delivered, in order.';
    default:
      return undefined;
  }
}

/** HTTP status of the answer that is the reason; undefined where it was none. */
export function statusOf(reason: string, lastError: LastError | undefined): number | undefined {
  return lastError?.reason === reason ? lastError.status : undefined;
}
