// What several bridges tell of the same routes, as one answer: each has some of the connections, and counts what came by them.
// Pure.
import type {
  RouteAttempt,
  RouteSeries,
  RouteStateChange,
  SeriesPoint,
} from '../../contract/route-history.ts';
import { maxAttempts, maxChanges, maxStates } from '../../contract/route-history.ts';
import type { RouteStatus } from '../../contract/route-status.ts';

/** What one bridge says of a route goes before what another says: a person's wish, then what is wrong. */
const statesByWeight: readonly RouteStatus['state'][] = [
  'disabled',
  'paused',
  'unknown',
  'disconnected',
  'holding',
  'active',
  'standby',
  'removed',
];
/** Bridges see a change of a route that is all of theirs within this time. */
const spreadMs = 5000;

/** One status of each route, in the order in which they are first told. */
export function mergedRoutes(told: readonly (readonly RouteStatus[])[]): readonly RouteStatus[] {
  return grouped(told.flat(), ({ name }) => name).map(mergedStatus);
}

function mergedStatus(statuses: readonly RouteStatus[]): RouteStatus {
  const [first, ...others] = statuses.toSorted(
    (a, b) => statesByWeight.indexOf(a.state) - statesByWeight.indexOf(b.state),
  );
  if (first === undefined) throw new Error('no status');
  if (others.length === 0) return first;
  const sessions = mergedSessions(statuses);
  // Its numbers are in the ledger, which all of them read; and where another one has the route, it is not removed.
  if (first.state === 'removed') return { ...first, sessions };
  const having = statuses.filter(({ state }) => state !== 'removed');
  const sum = (of: (status: RouteStatus) => number) =>
    having.reduce((total, status) => total + of(status), 0);
  const every = <T>(of: (status: RouteStatus) => T | undefined): T[] =>
    having.flatMap((status) => of(status) ?? []);
  const [holdingSince] = every((status) => status.holdingSince).sort();
  const [oldestWaitingAt] = every((status) => status.oldestWaitingAt).sort();
  const backlogs = every(({ backlogMessages }) => backlogMessages);
  const filtered = every(({ filteredMessages }) => filteredMessages);
  const [lastError] = every((status) => status.lastError).sort((a, b) => (a.at < b.at ? 1 : -1));
  const [noisyTopic] = every((status) => status.noisyTopic);
  const warnings = [...new Set(every((status) => status.warnings).flat())];
  return {
    ...first,
    sessions,
    ...(holdingSince !== undefined && { holdingSince }),
    ...(oldestWaitingAt !== undefined && { oldestWaitingAt }),
    ...(warnings.length > 0 && { warnings }),
    ...(backlogs.length > 0 && { backlogMessages: Math.max(...backlogs) }),
    ...(filtered.length > 0 && { filteredMessages: sum((each) => each.filteredMessages ?? 0) }),
    ...(noisyTopic !== undefined && { noisyTopic }),
    ...(lastError !== undefined && { lastError }),
    unsettledMessages: sum((each) => each.unsettledMessages),
    requestsInFlight: sum((each) => each.requestsInFlight),
    concurrencyLimit: sum((each) => each.concurrencyLimit),
    deliveredPerSecond: sum((each) => each.deliveredPerSecond),
    receivedMessages: sum((each) => each.receivedMessages),
    deliveredMessages: sum((each) => each.deliveredMessages),
    retriedMessages: sum((each) => each.retriedMessages),
    quarantinedMessages: sum((each) => each.quarantinedMessages),
  };
}

/** Each connection as that bridge sees it which has it. */
function mergedSessions(statuses: readonly RouteStatus[]): RouteStatus['sessions'] {
  const longest = Math.max(...statuses.map(({ sessions }) => sessions.length));
  return Array.from({ length: longest }, (_, index) => {
    const seen = statuses.flatMap(({ sessions }) => sessions[index] ?? []);
    return seen.find(({ state }) => state !== 'standby') ?? { state: 'standby' };
  });
}

export function mergedSeries(told: readonly RouteSeries[]): RouteSeries {
  const [first, ...others] = told;
  if (first === undefined) throw new Error('no series');
  if (others.length === 0) return first;
  const [since = first.since] = told.map((series) => series.since).sort();
  const all = told.flatMap(({ points }) => points);
  const points = grouped(all, ({ at }) => at)
    .map(mergedPoint)
    .sort((a, b) => (a.at < b.at ? -1 : 1));
  return { ...first, since, points };
}

function mergedPoint(points: readonly SeriesPoint[]): SeriesPoint {
  const [first, ...others] = points;
  if (first === undefined) throw new Error('no point');
  if (others.length === 0) return first;
  const sum = (of: (point: SeriesPoint) => number) =>
    points.reduce((total, point) => total + of(point), 0);
  const max = (key: 'backlogMessages' | 'p50Ms' | 'p95Ms' | 'p99Ms') => {
    const values = points.flatMap((point) => point[key] ?? []);
    return values.length > 0 && { [key]: Math.max(...values) };
  };
  // A request of a bridge that delivered nothing in the step has no weight.
  const delivered = sum((point) => (point.batchMessages === undefined ? 0 : point.delivered));
  const weighted = sum((point) => (point.batchMessages ?? 0) * point.delivered);
  return {
    ...first,
    received: sum((point) => point.received),
    delivered: sum((point) => point.delivered),
    retried: sum((point) => point.retried),
    quarantined: sum((point) => point.quarantined),
    unsettledMessages: sum((point) => point.unsettledMessages),
    requestsInFlight: sum((point) => point.requestsInFlight),
    concurrencyLimit: sum((point) => point.concurrencyLimit),
    ...(delivered > 0 && { batchMessages: weighted / delivered }),
    ...max('backlogMessages'),
    ...max('p50Ms'),
    ...max('p95Ms'),
    ...max('p99Ms'),
  };
}

/** The newest first. */
export function mergedAttempts(told: readonly (readonly RouteAttempt[])[]): RouteAttempt[] {
  return newestFirst(told.flat()).slice(0, maxAttempts);
}

/** The newest first. What all bridges come to, such as a pause, is told once. */
export function mergedStates<T extends RouteStateChange>(
  told: readonly (readonly T[])[],
  max = maxStates,
): T[] {
  if (told.length === 1) return [...(told[0] ?? [])];
  const changes = newestFirst(told.flat());
  const isSame = (a: T, b: T) =>
    JSON.stringify({ ...a, at: '' }) === JSON.stringify({ ...b, at: '' });
  return changes
    .filter((change, index) => {
      const atMs = Date.parse(change.at);
      for (const later of changes.slice(index + 1)) {
        if (atMs - Date.parse(later.at) > spreadMs) return true;
        if (isSame(change, later)) return false;
      }
      return true;
    })
    .slice(0, max);
}

export const mergedChanges = <T extends RouteStateChange>(told: readonly (readonly T[])[]): T[] =>
  mergedStates(told, maxChanges);

function grouped<T>(all: readonly T[], keyOf: (each: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const each of all) {
    const group = groups.get(keyOf(each));
    if (group === undefined) groups.set(keyOf(each), [each]);
    else group.push(each);
  }
  return [...groups.values()];
}

function newestFirst<T extends { readonly at: string }>(all: readonly T[]): T[] {
  return all.toSorted((a, b) => Date.parse(b.at) - Date.parse(a.at));
}
