// A session's form in the store, which earlier versions wrote too: what they had no word for is absent.

import { messageBytes, type QoS } from '../packets/message.ts';
import { plainSubscription, type Subscription } from '../routing/subscription.ts';
import { keyNumber, keyPart, type Store, type Write } from '../store/broker-store.ts';
import { decodeDelivery } from '../store/delivery.ts';
import { type Backlog, emptyBacklog, queuePrefix, sentKey } from './queue.ts';
import type { Session } from './session.ts';

const sessionKey = (clientId: string) => `session:${keyPart(clientId)}`;
const subscriptionPrefix = (clientId: string) => `subscription:${keyPart(clientId)}:`;
const incomingPrefix = (clientId: string) => `incoming:${keyPart(clientId)}:`;

/** The QoS alone, as text, where nothing else was asked for. */
function encodeSubscription({ qos, noLocal, retainAsPublished, id }: Subscription): Buffer {
  const isPlain = !noLocal && !retainAsPublished && id === undefined;
  return Buffer.from(
    isPlain ? String(qos) : JSON.stringify({ qos, noLocal, retainAsPublished, id }),
  );
}

function decodeSubscription(filter: string, value: Buffer): Subscription {
  const decoded = JSON.parse(value.toString());
  if (typeof decoded === 'number') return plainSubscription(filter, decoded as QoS);
  const { qos, noLocal, retainAsPublished, id } = decoded;
  return { filter, qos, noLocal, retainAsPublished, id };
}

export interface StoredSession {
  readonly clientId: string;
  readonly user: string | undefined;
  readonly lastSeenMs: number;
  /** Absent in sessions of earlier versions. */
  readonly expirySeconds: number | undefined;
  readonly subscriptions: Subscription[];
  readonly incoming: number[];
  readonly backlog: Backlog;
}

/** All sessions by their keys' client part. What belongs to none of them is deleted. */
export async function loadSessions(store: Store): Promise<Map<string, StoredSession>> {
  const sessions = new Map<string, StoredSession>();
  for await (const [key, value] of store.entries('session:')) {
    const part = key.slice('session:'.length);
    const { user, lastSeenMs, expirySeconds } = JSON.parse(value.toString());
    const clientId = decodeURIComponent(part);
    const backlog = emptyBacklog();
    sessions.set(part, {
      clientId,
      user,
      lastSeenMs,
      expirySeconds,
      subscriptions: [],
      incoming: [],
      backlog,
    });
  }
  const orphans: Write[] = [];
  const each = async (
    prefix: string,
    take: (session: StoredSession, rest: string, value: Buffer) => void,
  ) => {
    for await (const [key, value] of store.entries(prefix)) {
      const [, part = '', rest = ''] = key.split(':');
      const session = sessions.get(part);
      if (session === undefined) orphans.push({ type: 'del', key });
      else take(session, rest, value);
    }
  };
  await each('sent:', ({ backlog }, _, value) => {
    backlog.sentUpTo = Number(value.toString());
    backlog.last = backlog.sentUpTo;
  });
  await each('queue:', ({ backlog }, number, value) => {
    backlog.messages++;
    backlog.bytes += messageBytes(decodeDelivery(value).message);
    backlog.last = Math.max(backlog.last, Number(number));
  });
  await each('subscription:', ({ subscriptions }, filter, value) => {
    subscriptions.push(decodeSubscription(decodeURIComponent(filter), value));
  });
  await each('incoming:', ({ incoming }, packetId) => void incoming.push(Number(packetId)));
  if (orphans.length > 0) await store.write(...orphans);
  return sessions;
}

/** Writes of kept sessions. */
export class StoredSessions {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  put({ clientId, user, lastSeenMs, expirySeconds }: Session): void {
    const value = Buffer.from(JSON.stringify({ user, lastSeenMs, expirySeconds }));
    void this.#store.write({ type: 'put', key: sessionKey(clientId), value });
  }

  putSubscription({ clientId }: Session, subscription: Subscription): Promise<void> {
    const key = subscriptionPrefix(clientId) + keyPart(subscription.filter);
    return this.#store.write({ type: 'put', key, value: encodeSubscription(subscription) });
  }

  deleteSubscription({ clientId }: Session, filter: string): Promise<void> {
    return this.#store.write({ type: 'del', key: subscriptionPrefix(clientId) + keyPart(filter) });
  }

  putIncoming({ clientId }: Session, packetId: number): Promise<void> {
    const key = incomingPrefix(clientId) + keyNumber(packetId);
    return this.#store.write({ type: 'put', key, value: Buffer.alloc(0) });
  }

  deleteIncoming({ clientId }: Session, packetId: number): Promise<void> {
    const key = incomingPrefix(clientId) + keyNumber(packetId);
    return this.#store.write({ type: 'del', key });
  }

  /** Deletes a session with all that it has. */
  async erase(clientId: string): Promise<void> {
    await this.#store.settled();
    const keys = [sessionKey(clientId), sentKey(clientId)];
    for (const prefix of [queuePrefix, subscriptionPrefix, incomingPrefix])
      for await (const [key] of this.#store.entries(prefix(clientId))) keys.push(key);
    await this.#store.write(...keys.map((key) => ({ type: 'del', key }) as const));
  }
}
