// Presence: what a broker tells of a client's connections, and which of it holds: late, doubled and out of order as it
// comes. Pure; ingest folds events with it, and the api shows what comes out.
import { calm, dampingAt, type FlapDamping, withChanges } from './flap-damping.ts';

/** Who tells: our embedded broker, AWS IoT Core, EMQX, or the devices themselves by a last will. */
export const presenceSources = ['embedded', 'aws-iot', 'emqx', 'last-will'] as const;
export type PresenceSource = (typeof presenceSources)[number];

export const presenceStatuses = ['online', 'offline'] as const;
export type PresenceStatus = (typeof presenceStatuses)[number];

/** Where an event stands among all events of its client. */
export interface Place {
  readonly source: PresenceSource;
  /** Number of the connection, greater for a later one; where the broker has none, the time of the event. */
  readonly connection: number;
  /** 0: the end of an earlier connection. 1: the begin of this one. 2: its end. */
  readonly step: 0 | 1 | 2;
  /** When it happened, as the broker says: RFC 3339, UTC, microseconds. */
  readonly at: string;
}

/** One connection that began or ended. */
export interface PresenceEvent {
  readonly clientId: string;
  readonly status: PresenceStatus;
  readonly place: Place;
  /** Why it ended, in the broker's words. */
  readonly reason?: string;
}

export interface PresenceState {
  readonly clientId: string;
  readonly status: PresenceStatus;
  /** Since when; of a client that reconnected, since its newest connection. As {@link Place.at}. */
  readonly since: string;
  /** The latest time of any event. */
  readonly lastEventAt: string;
  /** Of the event that it rests on. */
  readonly place: Place;
  readonly reason?: string;
  readonly damping: FlapDamping;
  /** Events that were not recorded because the client is flapping, or was when the last one came. */
  readonly unrecorded: number;
}

/**
 * An entry of a client's history. `flapping`: from here on nothing is recorded. `calm`: from here on it is again, and
 * `unrecorded` events were not.
 */
export interface PresenceRecord {
  readonly clientId: string;
  readonly at: string;
  readonly event: 'connected' | 'disconnected' | 'flapping' | 'calm';
  readonly connection: number;
  readonly reason?: string;
  readonly unrecorded?: number;
}

export interface Folded {
  /** The very state that was given where the event says nothing new. */
  readonly state: PresenceState;
  readonly records: readonly PresenceRecord[];
}

/**
 * AWS IoT starts its version numbers again after about an hour offline, and gives times that are right to two minutes
 * ("Lifecycle events"): two events that are further apart than two such errors go by their times, with a minute for
 * the end of a connection that is told after the next one's begin; nearer ones by their numbers.
 */
const versionsHoldForMs = 5 * 60_000;

/**
 * Negative where `a` happened before `b`, 0 where they are one event. It is the true order as long as
 * - embedded: the broker keeps its folder, where its epochs are, or its clock was not set back;
 * - aws-iot: times are right to two minutes, and a client is offline for ten before its numbers start again, which a
 *   persistent session with a shorter expiry is not;
 * - emqx: the clocks of its nodes agree; and where the end of a connection does not say when that began, as with rules
 *   and before EMQX 5, it does not share its millisecond with another event;
 * - last-will: messages arrive in the order in which they were sent, as on one topic and connection they do.
 * Two sources at once, as while the config changes from one to the other, go by their times.
 */
export function comparePlaces(a: Place, b: Place): number {
  const apartMs = Date.parse(a.at) - Date.parse(b.at);
  const byTime =
    a.source !== b.source || (a.source === 'aws-iot' && Math.abs(apartMs) > versionsHoldForMs);
  if (byTime) return a.at === b.at ? 0 : a.at < b.at ? -1 : 1;
  const order = a.connection - b.connection || a.step - b.step;
  // While the order by time is broken, last wills share a number, see parseLastWill.
  if (order !== 0 || a.source !== 'last-will' || a.at === b.at) return order;
  return a.at < b.at ? -1 : 1;
}

/**
 * The state after an event. Its status, time and reason are those of the greatest event by {@link comparePlaces}, in
 * whichever order and however often all of them come.
 */
export function nextPresence(state: PresenceState | undefined, event: PresenceEvent): Folded {
  if (state === undefined) return { state: firstState(event), records: [recordOf(event)] };
  const order = comparePlaces(event.place, state.place);
  if (order === 0) return { state, records: [] };
  return order > 0 ? moved(state, event) : belated(state, event);
}

function moved(state: PresenceState, event: PresenceEvent): Folded {
  const { place } = event;
  const lastEventAt = laterOf(place.at, state.lastEventAt);
  // A status that is told once more, as a retained message is to each new session, is no new connection.
  if (place.source === 'last-will' && event.status === state.status)
    return { state: { ...state, lastEventAt, place }, records: [] };
  const before = dampingAt(state.damping, place.at);
  // Between two begins there was an end, whether it was told first, comes late, or never: the order counts nothing.
  const damping = withChanges(before, event.status === state.status ? 2 : 1);
  const next = { ...restingOn(event), lastEventAt, damping };
  if (before.flapping) return { state: { ...next, unrecorded: state.unrecorded + 1 }, records: [] };
  return {
    state: { ...next, unrecorded: 0 },
    records: [
      ...(state.unrecorded > 0 ? [noticeOf(event, 'calm', state.unrecorded)] : []),
      recordOf(event),
      ...(damping.flapping ? [noticeOf(event, 'flapping')] : []),
    ],
  };
}

/** What comes late changes no status. It belongs to the history, where a doubled event meets its own record. */
function belated(state: PresenceState, event: PresenceEvent): Folded {
  const lastEventAt = laterOf(event.place.at, state.lastEventAt);
  const { flapping } = dampingAt(state.damping, event.place.at);
  // Of what devices say themselves it is not known whether it says anything new.
  const isRecorded = event.place.source !== 'last-will' && !flapping;
  return {
    state: lastEventAt === state.lastEventAt ? state : { ...state, lastEventAt },
    records: isRecorded ? [recordOf(event)] : [],
  };
}

function laterOf(a: string, b: string): string {
  return a > b ? a : b;
}

function restingOn({ clientId, status, place, reason }: PresenceEvent) {
  return { clientId, status, since: place.at, place, ...(reason !== undefined && { reason }) };
}

/** A client that is met for the first time has not changed. */
function firstState(event: PresenceEvent): PresenceState {
  const { at } = event.place;
  return { ...restingOn(event), lastEventAt: at, damping: calm(at), unrecorded: 0 };
}

function recordOf({ clientId, status, place, reason }: PresenceEvent): PresenceRecord {
  const { at, connection } = place;
  const event = status === 'online' ? 'connected' : 'disconnected';
  return { clientId, at, event, connection, ...(reason !== undefined && { reason }) };
}

function noticeOf(
  { clientId, place: { at, connection } }: PresenceEvent,
  event: 'flapping' | 'calm',
  unrecorded?: number,
): PresenceRecord {
  return { clientId, at, event, connection, ...(unrecorded !== undefined && { unrecorded }) };
}
