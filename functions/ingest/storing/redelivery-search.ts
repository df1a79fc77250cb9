// Decides which messages that a broker may have redelivered are stored already, item by item; touches nothing.
//
// A bridge that dies between storing and PUBACK gets the message again in the resumed session, and gives it another
// time of receipt and mostly another id. What stays is the session (`source`), the topic, the payload, the
// properties, and the packet id [MQTT-4.4.0-1]; some brokers number from 1 again (RabbitMQ), and there the producer's own
// id stands for it. The item has all of these, so they are compared themselves, and no fingerprint is kept.
//
// What cannot be told apart is a new message that says exactly what the topic's last message with the same packet
// id said, shortly after a resumed session: it is taken for a redelivery. That loses a repetition, counted, while
// the other way every lost PUBACK would store a message twice. It stays rare by three rules, which lose no
// redelivery: the newest item with a packet id decides, since a packet id is not used again before its PUBACK; an
// item answers for one message only; and only messages marked by the bridge are looked at.
//
// What is missed, and stored twice: a redelivery whose original is still being written when it is looked for, one
// below the depth of the look-back, and one whose original came right before the clock, once set back by more than a
// minute, passed the time at which that was done.

import type { Message } from '../../contract/message.ts';
import { chunkedPayloadOf, type Item, messageOf, payloadDigest } from '../../table/item.ts';
import { hasOwnId, keyOf, sameButPayload, sameContent, sameId } from './identity.ts';

/** The suspects of one source and topic, and which of them the items met so far, newest first, answer for. */
export class RedeliverySearch {
  readonly found = new Set<Message>();
  readonly #open: Set<Message>;
  readonly #ownKeys: ReadonlySet<string>;
  readonly #metPacketIds = new Set<number>();

  /** `ownKeys` are the keys of all messages of the batch, as {@link keyOf} gives them. */
  constructor(suspects: readonly Message[], ownKeys: ReadonlySet<string>) {
    this.#open = new Set(suspects);
    this.#ownKeys = ownKeys;
  }

  /** No further item can answer for one of them. */
  get isOver(): boolean {
    return this.#open.size === 0;
  }

  meet(item: Item): void {
    const stored = messageOf(item);
    const key = keyOf(stored);
    if (this.#ownKeys.has(key)) {
      // A retry of a request that was carried out: it lands on its own item, and needs no other.
      for (const message of this.#open) if (keyOf(message) === key) this.#open.delete(message);
      return;
    }
    const { packetId } = stored;
    const isNewest = packetId !== undefined && !this.#metPacketIds.has(packetId);
    if (packetId !== undefined) this.#metPacketIds.add(packetId);
    for (const message of this.#open) {
      const samePacketId = isNewest && message.packetId === packetId;
      if (!samePacketId && !sameId(message, stored)) continue;
      if (repeats(message, stored, item)) {
        this.found.add(message);
        this.#open.delete(message);
        return;
      }
      if (samePacketId && !hasOwnId(message)) this.#open.delete(message);
    }
  }
}

/** Whether a message says what the stored one says; a payload in chunks is compared by its size and digest. */
function repeats(message: Message, stored: Message, item: Item): boolean {
  const chunked = chunkedPayloadOf(item);
  if (chunked === undefined) return sameContent(message, stored);
  return (
    chunked.bytes === message.payload.byteLength &&
    sameButPayload(message, stored) &&
    Buffer.compare(payloadDigest(message.payload), chunked.sha256) === 0
  );
}
