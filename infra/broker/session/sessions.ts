// All sessions: which there are, whose they are, and when they end.
import { type Budget, UserBudgets } from '../quotas/budget.ts';
import { noParties, type Parties, Shares } from '../quotas/shares.ts';
import type { Subscription } from '../routing/subscription.ts';
import type { Subscriptions } from '../routing/subscriptions.ts';
import type { Store } from '../store/broker-store.ts';
import type { Counters } from '../telemetry/counters.ts';
import { Outbox, type OutboxLimits } from './outbox.ts';
import { OwnSessions } from './own-sessions.ts';
import { type Backlog, memoryQueue, storedQueue } from './queue.ts';
import { Session } from './session.ts';
import { loadSessions, StoredSessions } from './stored-session.ts';

export interface SessionLimits extends OutboxLimits {
  readonly maxSessions: number;
  readonly maxSessionsPerUser: number;
  readonly maxQueuedBytesPerUser: number;
  readonly maxMemoryQueueBytes: number;
  /** After this time without its client a session ends, whatever the client asked for. */
  readonly sessionExpirySeconds: number;
}

export class Sessions {
  /** Those of the server itself; they are in the others, too. */
  readonly own = new OwnSessions();
  readonly #stored: StoredSessions;
  readonly #store: Store;
  readonly #limits: SessionLimits;
  readonly #counters: Counters;
  readonly #sessions = new Map<string, Session>();
  readonly #subscriptions: Subscriptions<Session>;
  readonly #removals = new Map<string, Promise<void>>();
  readonly #shares: Shares;
  readonly #disk: UserBudgets;
  /** Users of the sessions that are being made, by client id; they count already. */
  readonly #claims = new Map<string, string | undefined>();

  private constructor(
    store: Store,
    subscriptions: Subscriptions<Session>,
    limits: SessionLimits,
    counters: Counters,
    parties: Parties,
  ) {
    this.#store = store;
    this.#stored = new StoredSessions(store);
    this.#subscriptions = subscriptions;
    this.#limits = limits;
    this.#counters = counters;
    const { maxSessions: max, maxSessionsPerUser: perUser } = limits;
    this.#disk = new UserBudgets({
      maxBytes: Number.POSITIVE_INFINITY,
      maxBytesPerUser: parties.users ? limits.maxQueuedBytesPerUser : undefined,
    });
    const settings = { maxSetting: 'maxSessions', perUserSetting: 'maxSessionsPerUser' };
    this.#shares = new Shares({ what: 'kept sessions', max, perUser, ...settings }, parties);
  }

  /** The sessions in the store. Takes time in proportion to what is queued. */
  static async load(
    store: Store,
    subscriptions: Subscriptions<Session>,
    limits: SessionLimits,
    counters: Counters,
    parties: Parties = noParties,
  ): Promise<Sessions> {
    const sessions = new Sessions(store, subscriptions, limits, counters, parties);
    for (const stored of (await loadSessions(store)).values()) {
      const { clientId, user, lastSeenMs, backlog } = stored;
      const expirySeconds = stored.expirySeconds ?? limits.sessionExpirySeconds;
      const facts = { clientId, user, lastSeenMs, expirySeconds, kept: true };
      const session = sessions.#add(new Session(facts, () => sessions.#outbox(session, backlog)));
      // It counts for its user's room from now on.
      if (backlog.messages > 0) session.outbox;
      for (const subscription of stored.subscriptions) sessions.#subscribe(session, subscription);
      for (const packetId of stored.incoming) session.incoming.add(packetId);
    }
    return sessions;
  }

  get(clientId: string): Session | undefined {
    return this.#sessions.get(clientId);
  }

  /**
   * Why the user cannot have a session for this client id; undefined where it is there, or where it can: then it counts
   * from now on, and has to be opened.
   */
  claim(clientId: string, user: string | undefined): string | undefined {
    if (this.#sessions.has(clientId) || this.#claims.has(clientId)) return undefined;
    const fault = this.#shares.fault(user);
    if (fault !== undefined) return fault;
    this.#claims.set(clientId, user);
    this.#shares.add(user, 1);
    return undefined;
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** Messages of all kept sessions that are not acknowledged. */
  get queuedMessages(): number {
    let sum = 0;
    for (const { madeOutbox } of this.#sessions.values()) sum += madeOutbox?.messages ?? 0;
    return sum;
  }

  /** The client's kept session, made where it has none. */
  async open(
    clientId: string,
    user: string | undefined,
    expirySeconds = this.#limits.sessionExpirySeconds,
  ): Promise<Session> {
    await this.#removals.get(clientId);
    const session = this.#sessions.get(clientId) ?? this.#create(clientId, user, expirySeconds);
    session.expirySeconds = expirySeconds;
    this.seen(session);
    return session;
  }

  /** A session that ends with its connection. */
  temporary(clientId: string, user: string | undefined, memory: Budget): Session {
    const facts = { clientId, user, kept: false, lastSeenMs: Date.now(), expirySeconds: 0 };
    return new Session(facts, () => {
      const { maxMemoryQueueBytes: maxQueuedBytes } = this.#limits;
      const outbox = new Outbox(memoryQueue(), { ...this.#limits, maxQueuedBytes }, this.#counters);
      outbox.room.charge(memory);
      return outbox;
    });
  }

  /** Ends it where it ends with its connection; else it waits for the client from now on. */
  async left(session: Session): Promise<void> {
    if (session.kept && session.expirySeconds > 0) return this.seen(session);
    if (session.kept && this.#sessions.get(session.clientId) === session)
      return this.remove(session.clientId);
    this.#end(session);
  }

  /** Notes that the session's client is, or was until now, connected. */
  seen(session: Session): void {
    if (this.#sessions.get(session.clientId) !== session) return;
    session.lastSeenMs = Date.now();
    this.#stored.put(session);
  }

  /** The session, with all that is queued, is this user's from now on. */
  give(session: Session, user: string | undefined): void {
    if (session.user === user) return;
    if (this.#sessions.get(session.clientId) === session) {
      this.#shares.add(session.user, -1);
      this.#shares.add(user, 1);
    }
    session.user = user;
    this.own.note(session);
    session.outbox.room.charge(this.#disk.of(user));
    this.seen(session);
  }

  /** Ends a session with all that it has. */
  async remove(clientId: string): Promise<void> {
    const session = this.#sessions.get(clientId);
    if (session === undefined) return this.#removals.get(clientId);
    this.#sessions.delete(clientId);
    this.own.delete(session);
    this.#shares.add(session.user, -1);
    this.#end(session);
    const removal = this.#stored.erase(clientId).finally(() => this.#removals.delete(clientId));
    this.#removals.set(clientId, removal);
    await removal;
  }

  #end(session: Session): void {
    session.ended = true;
    session.madeOutbox?.room.charge(undefined);
    for (const filter of session.subscriptions.keys()) this.#subscriptions.remove(session, filter);
  }

  /** Removes the sessions whose client has been away for too long. */
  async expire(nowMs = Date.now()): Promise<void> {
    for (const session of this.#sessions.values()) {
      const { clientId, lastSeenMs, connected } = session;
      if (connected || nowMs - lastSeenMs < this.#expirySeconds(session) * 1000) continue;
      this.#counters.sessionsExpired++;
      await this.remove(clientId);
    }
  }

  /** Whether the client's session has ended, and is only to be removed. */
  isOver(session: Session, nowMs = Date.now()): boolean {
    return !session.connected && nowMs - session.lastSeenMs >= this.#expirySeconds(session) * 1000;
  }

  #expirySeconds({ expirySeconds }: Session): number {
    return Math.min(expirySeconds, this.#limits.sessionExpirySeconds);
  }

  /** Resolves when the subscription is kept; undefined where it need not be. */
  subscribe(session: Session, subscription: Subscription): Promise<void> | undefined {
    this.#subscribe(session, subscription);
    return session.kept ? this.#stored.putSubscription(session, subscription) : undefined;
  }

  unsubscribe(session: Session, filter: string): Promise<void> | undefined {
    session.subscriptions.delete(filter);
    this.#subscriptions.remove(session, filter);
    return session.kept ? this.#stored.deleteSubscription(session, filter) : undefined;
  }

  /** Ends the subscriptions that are not `granted` any more. */
  withdraw(granted: (session: Session, filter: string) => boolean): void {
    for (const session of this.#sessions.values()) {
      for (const filter of [...session.subscriptions.keys()])
        if (!granted(session, filter)) void this.unsubscribe(session, filter);
    }
  }

  /** Resolves when everything written so far is done. */
  settled(): Promise<void> {
    return this.#store.settled();
  }

  /** Notes the arrival of a QoS 2 message; resolves when it is kept, undefined where it need not be. */
  arrived(session: Session, packetId: number): Promise<void> | undefined {
    session.incoming.add(packetId);
    return session.kept ? this.#stored.putIncoming(session, packetId) : undefined;
  }

  /** PUBREL came: the packet id may be used for a new message. */
  completed(session: Session, packetId: number): Promise<void> | undefined {
    session.incoming.delete(packetId);
    return session.kept ? this.#stored.deleteIncoming(session, packetId) : undefined;
  }

  #create(clientId: string, user: string | undefined, expirySeconds: number): Session {
    const facts = { clientId, user, kept: true, lastSeenMs: Date.now(), expirySeconds };
    const session = new Session(facts, () => this.#outbox(session));
    session.isNew = true;
    return this.#add(session);
  }

  #outbox(session: Session, backlog?: Backlog): Outbox {
    const queue = storedQueue(this.#store, session.clientId);
    const outbox = new Outbox(queue, this.#limits, this.#counters, backlog);
    outbox.room.charge(this.#disk.of(session.user));
    return outbox;
  }

  #add(session: Session): Session {
    const { clientId, user } = session;
    this.#sessions.set(clientId, session);
    this.own.note(session);
    if (this.#claims.has(clientId)) this.#shares.add(this.#claims.get(clientId), -1);
    this.#claims.delete(clientId);
    this.#shares.add(user, 1);
    return session;
  }

  #subscribe(session: Session, subscription: Subscription): void {
    session.subscriptions.set(subscription.filter, subscription);
    this.#subscriptions.add(session, subscription);
  }
}
