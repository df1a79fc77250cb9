// A stream of bytes cut into whole packets. What a header says is checked before the packet is kept in memory.
import { type Fault, malformed, protocolError } from './cursor.ts';
import { Reason } from './reasons.ts';

/** CONNECT comes from anybody, so it gets less: client id, user, password and a will of ordinary size. */
const maxConnectBytes = 128 * 1024;

/** Packet types, the upper half of the first byte. */
export const Type = {
  connect: 1,
  publish: 3,
  puback: 4,
  pubrec: 5,
  pubrel: 6,
  pubcomp: 7,
  subscribe: 8,
  unsubscribe: 10,
  pingreq: 12,
  disconnect: 14,
  auth: 15,
} as const;

/** The flags that a type must have [MQTT-2.1.3-1]; PUBLISH's mean something, and those of CONNECT depend on the version. */
const requiredFlags: Readonly<Record<number, number>> = {
  [Type.puback]: 0,
  [Type.pubrec]: 0,
  [Type.pubrel]: 2,
  [Type.pubcomp]: 0,
  [Type.subscribe]: 2,
  [Type.unsubscribe]: 2,
  [Type.pingreq]: 0,
  [Type.disconnect]: 0,
  [Type.auth]: 0,
};

export interface Frame {
  readonly type: number;
  /** The packet with its header; a view of what was read from the stream. */
  readonly bytes: Buffer;
  /** Where the body begins. */
  readonly start: number;
}

export const isFault = (found: object): found is Fault => 'rule' in found;

export class Frames {
  readonly #maxPacketBytes: number;
  /** What has come and is not read yet; all but the first belong to the same packet. */
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  /** Bytes that have to be there before it is worth looking again. */
  #wanted = 2;
  #first = true;
  #fault: Fault | undefined;

  constructor(maxPacketBytes: number) {
    this.#maxPacketBytes = maxPacketBytes;
  }

  /** Bytes that have come and were not taken. */
  get waitingBytes(): number {
    return this.#bytes;
  }

  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
  }

  /** The next packet, the rule that it breaks, or undefined where it has not come whole. Nothing comes after a fault. */
  next(): Frame | Fault | undefined {
    if (this.#fault !== undefined) return this.#fault;
    if (this.#bytes === 0) return undefined;
    if (this.#bytes < this.#wanted) {
      // The first byte alone can be wrong.
      const fault = this.#bytes === 1 ? this.#typeFault(this.#chunks[0]?.[0] ?? 0) : undefined;
      if (fault !== undefined) this.#fault = fault;
      return fault;
    }
    const bytes = this.#joined();
    const first = bytes[0] ?? 0;
    const fault = this.#typeFault(first);
    if (fault !== undefined) return this.#fail(fault);
    let length = 0;
    let at = 1;
    for (let more = true; more; at++) {
      if (at > 4)
        return this.#fail({
          ...malformed('the remaining length has more than four bytes'),
          silent: true,
        });
      const byte = bytes[at];
      if (byte === undefined) return undefined;
      length += (byte & 0x7f) * 128 ** (at - 1);
      more = (byte & 0x80) !== 0;
      if (!more && byte === 0 && at > 1)
        return this.#fail(
          malformed('the remaining length has more bytes than it needs [MQTT-1.5.5-1]'),
        );
    }
    const limit = this.#first
      ? Math.min(maxConnectBytes, this.#maxPacketBytes)
      : this.#maxPacketBytes;
    const end = at + length;
    if (end > limit)
      return this.#fail({
        reason: Reason.packetTooLarge,
        rule: `a packet of ${end} bytes, over ${limit} [MQTT-3.2.2-15]`,
      });
    this.#wanted = end;
    if (bytes.length < end) return undefined;
    this.#first = false;
    this.#wanted = 2;
    this.#bytes -= end;
    if (bytes.length === end) this.#chunks.length = 0;
    else this.#chunks[0] = bytes.subarray(end);
    return { type: first >> 4, bytes: bytes.subarray(0, end), start: at };
  }

  #joined(): Buffer {
    const [only] = this.#chunks;
    if (only !== undefined && this.#chunks.length === 1) return only;
    const joined = Buffer.concat(this.#chunks, this.#bytes);
    this.#chunks.length = 0;
    this.#chunks.push(joined);
    return joined;
  }

  #typeFault(first: number): Fault | undefined {
    const type = first >> 4;
    if (this.#first)
      return type === Type.connect
        ? undefined
        : protocolError('the first packet must be CONNECT [MQTT-3.1.0-1]');
    if (type === Type.connect) return protocolError('CONNECT may come once [MQTT-3.1.0-2]');
    if (type === Type.publish) return undefined;
    const flags = requiredFlags[type];
    if (flags === undefined) return protocolError(`a client must not send packets of type ${type}`);
    return (first & 0x0f) === flags
      ? undefined
      : malformed(`packets of type ${type} have the flags ${flags} [MQTT-2.1.3-1]`);
  }

  #fail(fault: Fault): Fault {
    this.#chunks.length = 0;
    this.#bytes = 0;
    this.#fault = fault;
    return fault;
  }
}
