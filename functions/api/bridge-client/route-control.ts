// The bridge's routes, as the api asks for them and changes them.
import type { Problem } from '../../contract/problem.ts';
import type {
  RouteAttempt,
  RouteChanged,
  RouteSeries,
  RouteSeriesRequest,
  RouteStateChange,
} from '../../contract/route-history.ts';
import type { RouteChangeKind, RouteStatus } from '../../contract/route-status.ts';
import type { RouteTest } from '../../contract/route-test.ts';

/** What the bridge tells, or why it does not. */
export type Told<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: Problem };

/** The bridge, as far as its routes go. */
export interface RouteControl {
  list(): Promise<Told<readonly RouteStatus[]>>;
  /** Its numbers over time. */
  series(request: RouteSeriesRequest): Promise<Told<RouteSeries>>;
  /** Its last requests, the newest first. */
  attempts(name: string): Promise<Told<readonly RouteAttempt[]>>;
  /** The states that it has had, the newest first. */
  states(name: string): Promise<Told<readonly RouteStateChange[]>>;
  /** Those of all routes. */
  changes(): Promise<Told<readonly RouteChanged[]>>;
  /** Sends a test event to its handler. */
  test(name: string, topic: string | undefined): Promise<Told<RouteTest>>;
  /** `by` is the person who wants it; `end` is for routes that the config no longer has. */
  change(name: string, kind: RouteChangeKind | 'end', by: string): Promise<Told<RouteStatus>>;
}
