// What has to be done to make the broker's sessions equal to the config: pure, from the ledger's entries and the sessions
// that the config wants. The caller that carries it out asks again after each step, so that a kill at any point changes nothing.
import {
  formerFiltersWith,
  type LedgerSubscription,
  type SessionEntry,
  type Subscription,
} from './entry.ts';

/** A session that the config wants. */
export interface WantedSession {
  readonly clientId: string;
  readonly lease: string;
  readonly route: string;
  readonly target: string;
  readonly subscription: Subscription;
}

/** What becomes of a session that the ledger has. */
export type Fate =
  | { readonly kind: 'wanted' }
  /** Left by its route, or by the one that this route was called before: this route delivers what it still holds. */
  | { readonly kind: 'drained'; readonly route: string }
  /** No route stands for it any more: what it holds becomes dead letters. */
  | { readonly kind: 'removed' };

export function fateOf(entry: SessionEntry, wanted: readonly WantedSession[]): Fate {
  if (wanted.some(({ clientId }) => clientId === entry.clientId)) return { kind: 'wanted' };
  const heir =
    wanted.find(({ route }) => route === entry.route) ??
    wanted.find(({ target }) => target === entry.target);
  return heir === undefined ? { kind: 'removed' } : { kind: 'drained', route: heir.route };
}

/** What is sent on a connection. Both may be empty. */
export interface SubscriptionPlan {
  readonly subscribe: Subscription | undefined;
  readonly unsubscribe: readonly Subscription[];
}

/** What is known of a connection, beside the ledger. */
export interface ConnectionFacts {
  readonly protocolVersion: 4 | 5;
  readonly sessionPresent: boolean;
}

/**
 * The packets that make the subscriptions of one session what they should be. On MQTT 5 SUBSCRIBE goes out at every
 * connection: it repairs a subscription that the broker has lost, and with Retain Handling 1 repeats no retained message.
 * On 3.1.1 it would repeat them, so it goes out only where the subscription is not known to be there.
 */
export function planSubscriptions(
  subscriptions: readonly LedgerSubscription[],
  wanted: Subscription | undefined,
  { protocolVersion, sessionPresent }: ConnectionFacts,
): SubscriptionPlan {
  const granted = subscriptions.some((known) => isGrantedAs(known, wanted));
  return {
    subscribe: protocolVersion === 5 || !sessionPresent || !granted ? wanted : undefined,
    unsubscribe: sessionPresent ? subscriptions.filter((known) => !isSame(known, wanted)) : [],
  };
}

/** Whether both stand for one subscription at the broker, which has one of each filter in a session [MQTT-3.8.4-3]. */
export function isSame(
  a: Pick<Subscription, 'filter' | 'group'>,
  b: Pick<Subscription, 'filter' | 'group'> | undefined,
): boolean {
  return a.filter === b?.filter && a.group === b.group;
}

/** Whether the broker has granted this very subscription, as far as the ledger knows. */
export function isGrantedAs(known: LedgerSubscription, wanted: Subscription | undefined): boolean {
  return isSame(known, wanted) && known.qos === wanted?.qos && known.state === 'granted';
}

/** The entry once it says that a subscription was asked for, or granted. */
export function withSubscription(
  entry: SessionEntry,
  subscription: Subscription,
  state: LedgerSubscription['state'],
): SessionEntry {
  const others = entry.subscriptions.filter((known) => !isSame(known, subscription));
  return { ...entry, subscriptions: [...others, { ...subscription, state }] };
}

/**
 * The entry before UNSUBSCRIBE: whether the broker still has them is not known until it has answered. Else somebody who
 * wants them again after a kill would take them for granted.
 */
export function withDoubtful(entry: SessionEntry, leaving: readonly Subscription[]): SessionEntry {
  return {
    ...entry,
    subscriptions: entry.subscriptions.map((known) =>
      leaving.some((each) => isSame(known, each)) ? { ...known, state: 'asked' } : known,
    ),
  };
}

/** The entry once subscriptions are gone: what they brought may still be queued. */
export function withoutSubscriptions(
  entry: SessionEntry,
  gone: readonly Subscription[],
): SessionEntry {
  return {
    ...entry,
    subscriptions: entry.subscriptions.filter((known) => !gone.some((each) => isSame(known, each))),
    formerFilters: formerFiltersWith(
      entry.formerFilters,
      gone.map(({ filter }) => filter),
    ),
  };
}

/**
 * The subscriptions of other sessions that bring, until they are gone, what `session` would get too: those of a
 * connection or a name that its route no longer has, and those by which it shared its messages, or did not yet.
 */
export function predecessors(
  session: WantedSession,
  entries: readonly SessionEntry[],
  wanted: readonly WantedSession[],
): { readonly entry: SessionEntry; readonly subscription: LedgerSubscription }[] {
  const { filter, group } = session.subscription;
  return entries.flatMap((entry) => {
    if (entry.clientId === session.clientId) return [];
    const own = wanted.find(({ clientId }) => clientId === entry.clientId);
    const fate = fateOf(entry, wanted);
    const route = fate.kind === 'drained' ? fate.route : own?.route;
    if (route !== session.route) return [];
    return entry.subscriptions
      .filter((known) => known.filter === filter && !isSame(known, own?.subscription))
      .filter((known) => known.group === undefined || known.group !== group)
      .map((subscription) => ({ entry, subscription }));
  });
}

/**
 * Whether a wanted session may send its SUBSCRIBE now, and those that it waits for. It waits so that no message comes
 * twice: until a predecessor has gone where that can go by itself, or else until it is at hand, so that the one follows
 * the other within an instant. The predecessor is subscribed meanwhile, and keeps what comes.
 */
export function waitsFor(
  session: WantedSession,
  entries: readonly SessionEntry[],
  wanted: readonly WantedSession[],
): readonly string[] {
  const own = entries.find(({ clientId }) => clientId === session.clientId);
  // Subscribed already: waiting would change nothing.
  if (own?.subscriptions.some((known) => isSame(known, session.subscription))) return [];
  return predecessors(session, entries, wanted)
    .filter(({ entry }) => entry.isHandingOver !== true)
    .map(({ entry }) => entry.clientId);
}

/**
 * Whether a session that is drained may give up a subscription now. It must not before somebody else gets what would
 * have come by it, or that is lost: another member of its group, or a session of the route that drains it.
 */
export function mayLeave(
  entry: SessionEntry,
  subscription: Subscription,
  entries: readonly SessionEntry[],
  wanted: readonly WantedSession[],
): boolean {
  const fate = fateOf(entry, wanted);
  if (fate.kind !== 'drained') return true;
  const hasOtherMember =
    subscription.group !== undefined &&
    entries.some(
      (other) =>
        // Those that are to go as well must not count on each other.
        fateOf(other, wanted).kind === 'wanted' &&
        other.subscriptions.some((known) => isGrantedAs(known, subscription)),
    );
  return (
    hasOtherMember ||
    wanted.some((session) => session.route === fate.route && isGranted(session, entries))
  );
}

function isGranted({ clientId, subscription }: WantedSession, entries: readonly SessionEntry[]) {
  const entry = entries.find((each) => each.clientId === clientId);
  return entry?.subscriptions.some(
    (known) => isSame(known, subscription) && known.state === 'granted',
  );
}
