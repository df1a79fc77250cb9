// Where a session's QoS 1 and 2 messages are until the client has acknowledged them: the store for a session that
// survives its connection, the memory for one that does not.
import { decodeMessage, encodeMessage, type Message, type QueuedMessage } from './message.ts';
import { keyNumber, keyPart, type Store } from './store.ts';

export interface MessageQueue {
  /** Keeps a message, and with it that all up to `sentUpTo` may have been sent. Resolves when that is sure. */
  append(number: number, message: Message, sentUpTo: number | undefined): Promise<void>;
  /** Resolves when it is sure to be known, also to the next process, that all up to here may have been sent. */
  markSent(upTo: number): Promise<void>;
  /** Up to `limit` messages from `from` on, fewer where they are large. */
  read(from: number, limit: number): Promise<QueuedMessage[]>;
  /** The client has the message (PUBREC); from now on it is only to be told PUBREL. */
  release(number: number): Promise<void>;
  remove(number: number): void;
}

/** Ends a read once it has this many bytes. */
const readBytes = 256 * 1024;

export const queuePrefix = (clientId: string) => `queue:${keyPart(clientId)}:`;
export const sentKey = (clientId: string) => `sent:${keyPart(clientId)}`;

export function storedQueue(store: Store, clientId: string): MessageQueue {
  const prefix = queuePrefix(clientId);
  const key = (number: number) => prefix + keyNumber(number);
  const sent = (upTo: number) =>
    ({ type: 'put', key: sentKey(clientId), value: Buffer.from(String(upTo)) }) as const;
  return {
    append(number, message, sentUpTo) {
      const put = { type: 'put', key: key(number), value: encodeMessage(message) } as const;
      return sentUpTo === undefined ? store.write(put) : store.write(put, sent(sentUpTo));
    },
    markSent: (upTo) => store.write(sent(upTo)),
    async read(from, limit) {
      const messages: QueuedMessage[] = [];
      let bytes = 0;
      for await (const [name, value] of store.entries(prefix, key(from))) {
        messages.push({ number: Number(name.slice(prefix.length)), ...decodeMessage(value) });
        bytes += value.length;
        if (messages.length >= limit || bytes >= readBytes) break;
      }
      return messages;
    },
    release(number) {
      const told: Message = { topic: '', payload: Buffer.alloc(0), qos: 2, retain: false };
      return store.write({ type: 'put', key: key(number), value: encodeMessage(told, true) });
    },
    remove: (number) => void store.write({ type: 'del', key: key(number) }),
  };
}

export function memoryQueue(): MessageQueue {
  const messages = new Map<number, QueuedMessage>();
  let last = 0;
  return {
    async append(number, message) {
      messages.set(number, { ...message, number, released: false });
      last = number;
    },
    async markSent() {},
    async read(from, limit) {
      const found: QueuedMessage[] = [];
      for (let number = from; number <= last && found.length < limit; number++) {
        const message = messages.get(number);
        if (message !== undefined) found.push(message);
      }
      return found;
    },
    async release() {},
    remove: (number) => void messages.delete(number),
  };
}
