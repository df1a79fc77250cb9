// Whether the api answers: since when it does not, and why.
import type { Failure } from '../client/client.ts';
import { createStore } from './store.ts';

export interface Away {
  readonly since: number;
  readonly failure: Failure;
}

/** Undefined while the api answers. */
export const away = createStore<Away | undefined>(undefined);

/** What says that nothing is reached, and not only what one call asked for. */
const isOutage = ({ code }: Failure) =>
  code === 'unreachable' || code === 'unreadable' || code === 'database-unavailable';

export function noteOutcome(failure: Failure | undefined): void {
  if (failure === undefined || !isOutage(failure)) {
    away.set(undefined);
    return;
  }
  away.set({ since: away.value?.since ?? Date.now(), failure });
}
