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
 * A broker that resumes a session sends every unacknowledged PUBLISH again, with its packet id, before anything
 * new [MQTT-4.4.0-1, MQTT-4.6.0-1]. What this process still holds is recognized exactly. Some brokers (aedes)
 * redeliver without DUP, so the first packets of a resumed session are suspect whether they carry it or not.
 */
export class Redeliveries<T extends Held> {
  #held = new Map<number, T>();
  #suspects = 0;
  #seen = 0;
  #brokerSetsDup = false;

  /** A session was resumed: `pending` is what the last connection left, `most` how many may come again. */
  resume(pending: readonly T[], most: number): void {
    for (const entry of pending) this.#held.set(entry.packetId, entry);
    this.#suspects = most;
    this.#seen = 0;
    this.#brokerSetsDup = false;
  }

  /** The broker has no session: nothing will come again. */
  clear(): void {
    this.#held.clear();
    this.#suspects = 0;
    this.#seen = 0;
  }

  /** Looks at the next QoS > 0 packet: the held delivery that it repeats, or whether it may be a duplicate. */
  next(packetId: number, topic: string, payload: Uint8Array, dup: boolean): Recognized<T> {
    this.#seen++;
    // A broker that marked what it sent again has come to what is new.
    if (this.#brokerSetsDup && !dup) this.clear();
    this.#brokerSetsDup ||= dup;
    // mosquitto sets DUP on a whole backlog that it had only queued: without this bound each of its messages
    // would be looked for in the table.
    if (this.#suspects === 0) return dup && this.#seen <= maxUnacknowledged ? suspect : fresh;
    const held = this.#held.get(packetId);
    this.#held.delete(packetId);
    // Past the last suspect, a packet id that is still held would be another message's.
    if (--this.#suspects === 0) this.#held.clear();
    if (held?.message.topic === topic && Buffer.compare(held.message.payload, payload) === 0) {
      return { known: held, possibleDuplicate: false };
    }
    return suspect;
  }
}
