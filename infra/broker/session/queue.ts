// Where a session's QoS 1 and 2 messages are until the client has acknowledged them: the store for a session that
// survives its connection, the memory for one that does not.

import { ownMessage } from '../packets/message.ts';
import { keyNumber, keyPart, type Store } from '../store/broker-store.ts';
import {
  type Delivery,
  decodeDelivery,
  encodeDelivery,
  type QueuedDelivery,
} from '../store/delivery.ts';

export interface MessageQueue {
  /**
   * Keeps a message; where it is `sent` at once, also that all up to it may have been. Resolves when that is sure;
   * undefined where it is already.
   */
  append(number: number, delivery: Delivery, sent: boolean): Promise<void> | undefined;
  /** Resolves when it is sure to be known, also to the next process, that all up to here may have been sent. */
  markSent(upTo: number): Promise<void> | undefined;
  /** Up to `limit` messages from `from` on, fewer where they are large. */
  read(from: number, limit: number): QueuedDelivery[] | Promise<QueuedDelivery[]>;
  /** The client has the message (PUBREC); from now on it is only to be told PUBREL. */
  release(number: number): Promise<void> | undefined;
  /** Resolves when it is gone; undefined where it is already. */
  remove(number: number): Promise<void> | undefined;
  /** All that came by a shared subscription and are not acknowledged. */
  sharedBy(share: string): AsyncIterable<QueuedDelivery> | Iterable<QueuedDelivery>;
}

/** What is in the queue already. */
export interface Backlog {
  messages: number;
  bytes: number;
  /** Number of the last message that the queue ever had. */
  last: number;
  /** Number of the last message that has been sent; in the store, of the last that may have been. */
  sentUpTo: number;
}

export const emptyBacklog = (): Backlog => ({ messages: 0, bytes: 0, last: 0, sentUpTo: 0 });

/** Ends a read once it has this many bytes. */
const readBytes = 256 * 1024;

export const queuePrefix = (clientId: string) => `queue:${keyPart(clientId)}:`;
export const sentKey = (clientId: string) => `sent:${keyPart(clientId)}`;

/** That all up to here may have been sent. `upTo` may grow until the store writes it. */
function sentMark(clientId: string, upTo: number) {
  return {
    type: 'put' as const,
    key: sentKey(clientId),
    upTo,
    get value() {
      return Buffer.from(String(this.upTo));
    },
  };
}

const released: Delivery = {
  message: { topic: '', payload: Buffer.alloc(0), qos: 2, retain: false },
  qos: 2,
  retain: false,
};

export function storedQueue(store: Store, clientId: string): MessageQueue {
  const prefix = queuePrefix(clientId);
  const key = (number: number) => prefix + keyNumber(number);
  let mark = sentMark(clientId, 0);
  /** The batch of the store that has it. */
  let markedIn: Promise<void> | undefined;
  function markSent(upTo: number): Promise<void> {
    mark = sentMark(clientId, upTo);
    markedIn = store.write(mark);
    return markedIn;
  }
  return {
    append(number, delivery, sent) {
      const kept = store.write({ type: 'put', key: key(number), value: encodeDelivery(delivery) });
      // What came in one turn is one batch, and has one mark: the last.
      if (sent && kept === markedIn) mark.upTo = number;
      else if (sent) void markSent(number);
      return kept;
    },
    markSent,
    async read(from, limit) {
      const found: QueuedDelivery[] = [];
      let bytes = 0;
      for await (const [name, value] of store.entries(prefix, key(from))) {
        found.push({ number: Number(name.slice(prefix.length)), ...decodeDelivery(value) });
        bytes += value.length;
        if (found.length >= limit || bytes >= readBytes) break;
      }
      return found;
    },
    release: (number) =>
      store.write({ type: 'put', key: key(number), value: encodeDelivery(released, true) }),
    remove: (number) => store.write({ type: 'del', key: key(number) }),
    async *sharedBy(share) {
      for await (const [name, value] of store.entries(prefix)) {
        const delivery = decodeDelivery(value);
        if (delivery.share === share)
          yield { number: Number(name.slice(prefix.length)), ...delivery };
      }
    },
  };
}

/**
 * Holds what is not sent yet: what was sent is never sent again, as the session ends with its connection. What came by a
 * shared subscription can go to another client then, and stays until it is acknowledged.
 */
export function memoryQueue(): MessageQueue {
  let waiting: QueuedDelivery[] = [];
  /** Those before it are sent. */
  let first = 0;
  const shared = new Map<number, QueuedDelivery>();
  return {
    append(number, delivery, sent) {
      if (sent && delivery.share === undefined) return undefined;
      const own = { ...delivery, message: ownMessage(delivery.message), number, released: false };
      if (delivery.share !== undefined) shared.set(number, own);
      if (!sent) waiting.push(own);
      return undefined;
    },
    markSent(upTo) {
      while (first < waiting.length && (waiting[first]?.number ?? 0) <= upTo) first++;
      if (first * 2 < waiting.length) return undefined;
      waiting = waiting.slice(first);
      first = 0;
      return undefined;
    },
    read(from, limit) {
      let at = first;
      while (at < waiting.length && (waiting[at]?.number ?? 0) < from) at++;
      return waiting.slice(at, at + limit);
    },
    release(number) {
      shared.delete(number);
      return undefined;
    },
    remove(number) {
      shared.delete(number);
      return undefined;
    },
    sharedBy: (share) => [...shared.values()].filter((one) => one.share === share),
  };
}
