// The messages of a session that are sent and not acknowledged, by their packet ids.
import { packetId } from '../store/delivery.ts';

interface InflightMessage {
  readonly number: number;
  readonly qos: 1 | 2;
  bytes: number;
  /** PUBREC has come. */
  released: boolean;
}

/** What an acknowledgement was worth: `unknown` where nothing has this packet id, `wrong` where it is another kind's. */
export type Acknowledged = 'taken' | 'unknown' | 'wrong';

/** What is left of a message after PUBREC. */
const releasedBytes = 64;

export class Inflight {
  readonly #messages = new Map<number, InflightMessage>();

  get size(): number {
    return this.#messages.size;
  }

  has(id: number): boolean {
    return this.#messages.has(id);
  }

  add(number: number, qos: number, bytes: number, released = false): void {
    this.#messages.set(packetId(number), { number, qos: qos === 2 ? 2 : 1, bytes, released });
  }

  /** PUBREC: which message it is the first for, and the bytes that are not needed any more. */
  release(id: number): { readonly number: number; readonly freedBytes: number } | Acknowledged {
    const message = this.#messages.get(id);
    if (message === undefined) return 'unknown';
    if (message.qos !== 2) return 'wrong';
    if (message.released) return 'taken';
    const freedBytes = message.bytes - releasedBytes;
    message.released = true;
    message.bytes = releasedBytes;
    return { number: message.number, freedBytes };
  }

  /** PUBACK or PUBCOMP, or a PUBREC that refuses the message: which message is done with. It stays until it is removed. */
  acknowledged(
    id: number,
    packet: 'puback' | 'pubcomp' | 'refusal',
  ): Readonly<InflightMessage> | Exclude<Acknowledged, 'taken'> {
    const message = this.#messages.get(id);
    if (message === undefined) return 'unknown';
    if ((message.qos === 1) !== (packet === 'puback')) return 'wrong';
    // PUBCOMP answers PUBREL, and that comes after PUBREC.
    if (message.qos === 2 && message.released !== (packet === 'pubcomp')) return 'wrong';
    return message;
  }

  /** Where the message is in flight at all: its packet id may be another's. */
  remove(number: number): void {
    const id = packetId(number);
    if (this.#messages.get(id)?.number === number) this.#messages.delete(id);
  }

  clear(): void {
    this.#messages.clear();
  }
}
