// Which malformed PUBLISHes end the connection: a broker sends one again on each connection, and would close the route
// for ever; and a device can make one after the other. And what is kept of one that does not. Pure.
import { LRUCache } from 'lru-cache';
import type { MalformedPublish, Publish } from './publish.ts';

/** So often one ends the connection: what came wrong once may come right. The next time it is kept as it is. */
const maxCloses = 2;
/** So many in a minute end it, whichever they are. */
const maxClosesAMinute = 6;
/** Beyond these the oldest are forgotten, and counted again. */
const maxRemembered = 1000;

export class MalformedSightings {
  readonly #counts = new LRUCache<string, number>({ max: maxRemembered });
  /** When the last ones ended a connection. */
  #closesMs: number[] = [];

  /** Counts it; whether the connection shall be ended for it. */
  endsConnection(publish: MalformedPublish, nowMs: number): boolean {
    const { topic, qos, retain, bytes, malformed } = publish;
    // What a broker leaves as it is: not DUP, packet id, and the seconds that a message has left.
    const key = `${bytes.length} ${qos} ${retain} ${malformed.reason} ${topic}`;
    const count = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, count);
    this.#closesMs = this.#closesMs.filter((closedMs) => nowMs - closedMs < 60_000);
    if (count > maxCloses || this.#closesMs.length >= maxClosesAMinute) return false;
    this.#closesMs.push(nowMs);
    return true;
  }
}

/** What becomes a dead letter in its place: the bytes of the packet, and why nothing reads them. */
export function keptAsBytes(publish: MalformedPublish): Publish {
  const { malformed, topic, qos, dup, packetId, retain, bytes } = publish;
  return {
    topic,
    // Without a packet id there is nothing to acknowledge.
    qos: packetId === 0 ? 0 : qos,
    dup,
    packetId,
    retain,
    properties: undefined,
    payload: bytes,
    fault: `a packet that cannot be parsed, kept as its bytes: ${malformed.reason}`,
  };
}
