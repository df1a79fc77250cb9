// Redeliveries after a resumed session: which packets repeat what this bridge still holds, and which may
// repeat what it, or a bridge before it, has stored already.

interface Held {
  readonly packetId: number;
  readonly message: { readonly topic: string; readonly payload: Uint8Array };
}

/** What a packet is: a delivery that is held already, or a new one that may have been stored before. */
interface Recognized<T> {
  readonly known?: T;
  readonly possibleDuplicate: boolean;
}

const fresh: Recognized<never> = { possibleDuplicate: false };
const suspect: Recognized<never> = { possibleDuplicate: true };

/** A session has at most so many packets unacknowledged: what comes after as many is none of them. */
const maxUnacknowledged = 65_535;

/**
 * A broker that resumes a session sends every unacknowledged PUBLISH again, with DUP [MQTT-3.3.1-1] and its
 * packet id, before anything new [MQTT-4.4.0-1, MQTT-4.6.0-1]. What this process still holds is recognized.
 *
 * A packet without DUP is new, whatever it says. To suspect those too, for brokers that redeliver without it,
 * would lose messages: packet ids are used again after a PUBACK, some brokers begin anew with each connection,
 * and a device that says "open" twice says the same twice. Such a broker may have a message stored twice.
 */
export class Redeliveries<T extends Held> {
  #held = new Map<number, T>();
  #redelivered = 0;

  /** A session was resumed: `pending` is what the last connection left unacknowledged. */
  resume(pending: readonly T[]): void {
    for (const entry of pending) this.#held.set(entry.packetId, entry);
    this.#redelivered = 0;
  }

  /** The broker has no session: nothing will come again. */
  clear(): void {
    this.#held.clear();
  }

  /** Looks at the next QoS > 0 packet: the held delivery that it repeats, or whether it may be a duplicate. */
  next(packetId: number, topic: string, payload: Uint8Array, dup: boolean): Recognized<T> {
    if (!dup) {
      // Past the redeliveries, a packet id that is still held would be another message's.
      if (this.#held.size > 0) this.#held.clear();
      return fresh;
    }
    const held = this.#held.get(packetId);
    this.#held.delete(packetId);
    if (held?.message.topic === topic && Buffer.compare(held.message.payload, payload) === 0) {
      return { known: held, possibleDuplicate: false };
    }
    // mosquitto sets DUP on a whole backlog that it had only queued: without this bound each of its messages
    // would be looked for in the table.
    return ++this.#redelivered <= maxUnacknowledged ? suspect : fresh;
  }
}
