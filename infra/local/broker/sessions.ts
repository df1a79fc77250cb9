// Sessions that outlive their connections: who has which subscriptions, what waits for whom, and what of QoS 2 has
// arrived already.
import type { Counters } from './counters.ts';
import { FilterTree } from './filter-tree.ts';
import { decodeMessage, messageBytes, type QoS } from './message.ts';
import { type Backlog, Outbox, type OutboxLimits } from './outbox.ts';
import { queuePrefix, sentKey, storedQueue } from './queue.ts';
import { keyNumber, keyPart, type Store, type Write } from './store.ts';

export interface Session {
  readonly clientId: string;
  /** The user whose session it is; undefined for anonymous. */
  user: string | undefined;
  readonly outbox: Outbox;
  readonly subscriptions: Map<string, QoS>;
  /** Packet ids of QoS 2 messages that have arrived, and whose PUBREL has not [MQTT-4.3.3-2]. */
  readonly incoming: Set<number>;
  /** When its client was last connected, in ms since 1970; what expires is counted from here. */
  lastSeenMs: number;
  /** No CONNACK has been sent for it: the client has to be told that there was no session [MQTT-3.2.2-3]. */
  isNew: boolean;
}

export interface SessionLimits extends OutboxLimits {
  readonly maxSessions: number;
  /** After this time without its client a session is removed. */
  readonly sessionExpirySeconds: number;
}

const sessionKey = (clientId: string) => `session:${keyPart(clientId)}`;
const subscriptionPrefix = (clientId: string) => `subscription:${keyPart(clientId)}:`;
const incomingPrefix = (clientId: string) => `incoming:${keyPart(clientId)}:`;

export class Sessions {
  readonly #store: Store;
  readonly #limits: SessionLimits;
  readonly #counters: Counters;
  readonly #sessions = new Map<string, Session>();
  readonly #filters = new FilterTree<Session>();
  readonly #removals = new Map<string, Promise<void>>();

  private constructor(store: Store, limits: SessionLimits, counters: Counters) {
    this.#store = store;
    this.#limits = limits;
    this.#counters = counters;
  }

  /** The sessions in the store. Takes time in proportion to what is queued. */
  static async load(store: Store, limits: SessionLimits, counters: Counters): Promise<Sessions> {
    const sessions = new Sessions(store, limits, counters);
    for await (const [key, value] of store.entries('session:')) {
      const clientId = decodeURIComponent(key.slice('session:'.length));
      const { user, lastSeenMs } = JSON.parse(value.toString());
      const session = sessions.#add(clientId, user, lastSeenMs, await backlog(store, clientId));
      const subscriptions = subscriptionPrefix(clientId);
      for await (const [name, qos] of store.entries(subscriptions)) {
        const filter = decodeURIComponent(name.slice(subscriptions.length));
        sessions.#subscribe(session, filter, Number(qos.toString()) as QoS);
      }
      for await (const [name] of store.entries(incomingPrefix(clientId)))
        session.incoming.add(Number(name.slice(incomingPrefix(clientId).length)));
    }
    return sessions;
  }

  get(clientId: string): Session | undefined {
    return this.#sessions.get(clientId);
  }

  /** Whether one more can be made. */
  get full(): boolean {
    return this.#sessions.size >= this.#limits.maxSessions;
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** Messages of all sessions that are not acknowledged. */
  get queuedMessages(): number {
    let sum = 0;
    for (const { outbox } of this.#sessions.values()) sum += outbox.messages;
    return sum;
  }

  /** The client's session, made where it has none. */
  async open(clientId: string, user: string | undefined): Promise<Session> {
    await this.#removals.get(clientId);
    if (!this.#sessions.has(clientId)) {
      // A connection that lost its session to a clean one may have written since.
      await this.#erase(clientId);
    }
    const session = this.#sessions.get(clientId) ?? this.#create(clientId, user);
    this.seen(session);
    return session;
  }

  /** Notes that the session's client is, or was until now, connected. */
  seen(session: Session): void {
    if (this.#sessions.get(session.clientId) !== session) return;
    session.lastSeenMs = Date.now();
    const { user, lastSeenMs } = session;
    const value = Buffer.from(JSON.stringify({ user, lastSeenMs }));
    void this.#store.write({ type: 'put', key: sessionKey(session.clientId), value });
  }

  /** The session, with all that is queued, is this user's from now on. */
  give(session: Session, user: string | undefined): void {
    if (session.user === user) return;
    session.user = user;
    this.seen(session);
  }

  /** Ends a session with all that it has. */
  async remove(clientId: string): Promise<void> {
    const session = this.#sessions.get(clientId);
    if (session === undefined) return this.#removals.get(clientId);
    this.#sessions.delete(clientId);
    for (const filter of session.subscriptions.keys()) this.#filters.remove(filter, session);
    const removal = this.#erase(clientId).finally(() => this.#removals.delete(clientId));
    this.#removals.set(clientId, removal);
    await removal;
  }

  async #erase(clientId: string): Promise<void> {
    await this.#store.settled();
    const writes: Write[] = [sessionKey(clientId), sentKey(clientId)].map((key) => ({
      type: 'del',
      key,
    }));
    for (const prefix of [queuePrefix, subscriptionPrefix, incomingPrefix]) {
      for await (const [key] of this.#store.entries(prefix(clientId)))
        writes.push({ type: 'del', key });
    }
    await this.#store.write(...writes);
  }

  /** Removes the sessions whose client has been away for too long; those of `connected` clients stay. */
  async expire(connected: ReadonlySet<string>, nowMs = Date.now()): Promise<void> {
    const expiryMs = this.#limits.sessionExpirySeconds * 1000;
    for (const { clientId, lastSeenMs } of this.#sessions.values()) {
      if (connected.has(clientId) || nowMs - lastSeenMs < expiryMs) continue;
      this.#counters.sessionsExpired++;
      await this.remove(clientId);
    }
  }

  /** Resolves when the subscription is kept. */
  subscribe(session: Session, filter: string, qos: QoS): Promise<void> {
    this.#subscribe(session, filter, qos);
    const key = subscriptionPrefix(session.clientId) + keyPart(filter);
    return this.#store.write({ type: 'put', key, value: Buffer.from(String(qos)) });
  }

  unsubscribe(session: Session, filter: string): Promise<void> {
    session.subscriptions.delete(filter);
    this.#filters.remove(filter, session);
    const key = subscriptionPrefix(session.clientId) + keyPart(filter);
    return this.#store.write({ type: 'del', key });
  }

  /** Ends the subscriptions that are not `granted` any more. */
  withdraw(granted: (session: Session, filter: string) => boolean): void {
    for (const session of this.#sessions.values()) {
      for (const filter of [...session.subscriptions.keys()])
        if (!granted(session, filter)) void this.unsubscribe(session, filter);
    }
  }

  /** The sessions that get a message on this topic, with the QoS that they asked for. */
  subscribersOf(topic: string): Map<Session, QoS> {
    return this.#filters.match(topic);
  }

  /** Notes the arrival of a QoS 2 message; resolves when it is kept. */
  arrived(session: Session, packetId: number): Promise<void> {
    session.incoming.add(packetId);
    const key = incomingPrefix(session.clientId) + keyNumber(packetId);
    return this.#store.write({ type: 'put', key, value: Buffer.alloc(0) });
  }

  /** PUBREL came: the packet id may be used for a new message. */
  completed(session: Session, packetId: number): Promise<void> {
    session.incoming.delete(packetId);
    const key = incomingPrefix(session.clientId) + keyNumber(packetId);
    return this.#store.write({ type: 'del', key });
  }

  #create(clientId: string, user: string | undefined): Session {
    const session = this.#add(clientId, user, Date.now());
    session.isNew = true;
    return session;
  }

  #add(clientId: string, user: string | undefined, lastSeenMs: number, kept?: Backlog): Session {
    const queue = storedQueue(this.#store, clientId);
    const session: Session = {
      clientId,
      user,
      outbox: new Outbox(queue, this.#limits, this.#counters, kept),
      subscriptions: new Map(),
      incoming: new Set(),
      lastSeenMs,
      isNew: false,
    };
    this.#sessions.set(clientId, session);
    return session;
  }

  #subscribe(session: Session, filter: string, qos: QoS): void {
    session.subscriptions.set(filter, qos);
    this.#filters.add(filter, session, qos);
  }
}

async function backlog(store: Store, clientId: string): Promise<Backlog> {
  const sentUpTo = Number((await store.get(sentKey(clientId)))?.toString() ?? 0);
  const found: Backlog = { messages: 0, bytes: 0, last: sentUpTo, sentUpTo };
  const prefix = queuePrefix(clientId);
  for await (const [key, value] of store.entries(prefix)) {
    found.messages++;
    found.bytes += messageBytes(decodeMessage(value));
    found.last = Math.max(found.last, Number(key.slice(prefix.length)));
  }
  return found;
}
