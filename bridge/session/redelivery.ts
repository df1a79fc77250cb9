// Redeliveries after a resumed session: which packets repeat what this bridge still holds, and which may
// repeat what it, or a bridge before it, has stored already.

interface Held {
  readonly packetId: number;
  /** Whether a PUBLISH says the same. */
  says(topic: string, payload: Uint8Array): boolean;
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
 * would lose messages: packet ids are used again after a PUBACK, some brokers start again with each connection,
 * and a device that says "open" twice says the same twice. Such a broker may have a message stored twice.
 */
export class Redeliveries<T extends Held> {
  readonly #held = new Map<number, T>();
  readonly #onForgotten: (entry: T) => void;
  #redelivered = 0;

  /** `onForgotten` is told of each entry that is no longer held without having come again. */
  constructor(onForgotten: (entry: T) => void = () => {}) {
    this.#onForgotten = onForgotten;
  }

  /** A session was resumed: `pending` is what the last connection left unacknowledged. */
  resume(pending: readonly T[]): void {
    for (const entry of pending) {
      this.#forget(entry.packetId);
      this.#held.set(entry.packetId, entry);
    }
    this.#redelivered = 0;
  }

  /** The broker has no session: nothing will come again. */
  clear(): void {
    for (const packetId of this.#held.keys()) this.#forget(packetId);
  }

  /** Looks at the next QoS > 0 packet: the held delivery that it repeats, or whether it may be a duplicate. */
  next(packetId: number, topic: string, payload: Uint8Array, dup: boolean): Recognized<T> {
    if (!dup) {
      // Past the redeliveries, a packet id that is still held would be another message's.
      if (this.#held.size > 0) this.clear();
      return fresh;
    }
    const held = this.#held.get(packetId);
    if (held?.says(topic, payload) === true) {
      this.#held.delete(packetId);
      return { known: held, possibleDuplicate: false };
    }
    this.#forget(packetId);
    // mosquitto sets DUP on a whole backlog that it had only queued: without this bound each of its messages
    // would be looked for in the table.
    return ++this.#redelivered <= maxUnacknowledged ? suspect : fresh;
  }

  #forget(packetId: number): void {
    const entry = this.#held.get(packetId);
    if (entry === undefined) return;
    this.#held.delete(packetId);
    this.#onForgotten(entry);
  }
}
