// How the times of the parts fit into each other: function < request of the bridge < drain < stop of a task.
import type { RouteSettings } from '../config/route.ts';

type Waits = readonly (Pick<RouteSettings, 'timeoutMs'> &
  Partial<Pick<RouteSettings, 'handler'>>)[];

/** What ECS grants between SIGTERM and SIGKILL, at most. */
export const stopTimeoutSeconds = 120;

/** Time for the ingest function: shorter than any of its routes waits, so that no write outlives its request. */
export function ingestTimeoutSecondsOf(routes: Waits): number {
  const waitsMs = routes.flatMap(({ handler, timeoutMs }) =>
    handler === undefined ? [timeoutMs] : [],
  );
  return Math.max(1, Math.floor((Math.min(30_000, ...waitsMs) * 0.9) / 1000));
}

/** Time for the requests in flight when a task is stopped; the bridge ends before ECS ends it. */
export function drainTimeoutMsOf(routes: Waits): number {
  return Math.min((stopTimeoutSeconds - 10) * 1000, longestMs(routes) + 10_000);
}

/** A successor looks for what a dead bridge has stored, so its last request must have ended by then. */
export function leaseSecondsOf(routes: Waits): number {
  return Math.min(600, Math.max(15, Math.ceil(longestMs(routes) / 1000) + 5));
}

function longestMs(routes: Waits): number {
  return Math.max(...routes.map(({ timeoutMs }) => timeoutMs));
}
