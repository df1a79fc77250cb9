// Cuts what a broker sends into MQTT packets, wherever its chunks end. Pure. It knows a packet's length before the
// packet is buffered, and looks at nothing behind the fixed header: publish.ts and faults.ts do.
import { type Malformed, malformed, tooLarge } from './malformed.ts';
import { headerFault, isFromServer, nameOf, packetType } from './packet-types.ts';

/** A whole packet. What lies in one chunk is not copied: `bytes` is then that chunk. */
export interface Packet {
  readonly kind: 'packet';
  /** Packet type, the upper half of the first byte. */
  readonly type: number;
  /** The lower half. */
  readonly flags: number;
  readonly bytes: Buffer;
  /** Where it begins, where its variable header begins, and where it ends. */
  readonly start: number;
  readonly body: number;
  readonly end: number;
}

/**
 * What becomes of a PUBLISH that has not come as a whole yet: it is buffered; it is asked for again with the next
 * call, and nothing of it is read until then; or it comes in parts.
 */
export type Admission = 'buffer' | 'wait' | 'stream';

/** A PUBLISH that comes in parts: they follow, and nothing else before the last. */
export interface Streamed {
  readonly kind: 'streamed';
  readonly flags: number;
  readonly packetBytes: number;
  /** Those after the fixed header. */
  readonly bodyBytes: number;
}

export type Step =
  | Packet
  /** A PUBLISH that waits for its admission. */
  | { readonly kind: 'waiting' }
  | Streamed
  /** Bytes after its fixed header. */
  | { readonly kind: 'part'; readonly bytes: Buffer; readonly isLast: boolean }
  /** Where the next packet begins cannot be known any more, or must not matter. It stays so. */
  | { readonly kind: 'broken'; readonly fault: Malformed };

/** Largest packet that is no PUBLISH: far above what any broker has to say. */
const maxControlBytes = 1024 * 1024;
/** Bytes of a fixed header at most [MQTT-1.5.5-1]. */
const maxHeaderBytes = 5;
const none = Buffer.alloc(0);

export class Framer {
  /**
   * Asked for a PUBLISH that goes beyond the chunk it begins in, with the bytes of the whole packet, before anything
   * of it is buffered.
   */
  admit: (packetBytes: number) => Admission = () => 'buffer';
  #chunk: Buffer = none;
  #at = 0;
  /** A fixed header that goes beyond its chunk, or whose packet does. */
  readonly #header = Buffer.alloc(maxHeaderBytes);
  #headerBytes = 0;
  /** Bytes after that fixed header; undefined until it is complete. */
  #declared: number | undefined;
  /** The packet that is being buffered. */
  #buffer: Buffer | undefined;
  #filled = 0;
  /** Bytes that are left of the packet that comes in parts. */
  #streamed = 0;
  #broken: { readonly kind: 'broken'; readonly fault: Malformed } | undefined;

  /** Gives it the next bytes, once `next` has said undefined. */
  push(chunk: Buffer): void {
    this.#chunk = chunk;
    this.#at = 0;
  }

  /** Bytes of a packet that is not complete. */
  get heldBytes(): number {
    return this.#filled + this.#headerBytes;
  }

  /** The next packet, or what is to be known before it; undefined where more bytes are needed. */
  next(): Step | undefined {
    if (this.#broken !== undefined) return this.#broken;
    if (this.#buffer !== undefined) return this.#fill(this.#buffer);
    if (this.#streamed > 0) return this.#part();
    if (this.#declared !== undefined) return this.#admit(this.#declared);
    return this.#headerBytes === 0 ? this.#fromChunk() : this.#fromHeader();
  }

  /** The fast path: all of it is in this chunk. */
  #fromChunk(): Step | undefined {
    const chunk = this.#chunk;
    const start = this.#at;
    let body = start + 1;
    let remaining = 0;
    for (let shift = 0; body < chunk.length && shift < 28; shift += 7) {
      const byte = chunk[body++] ?? 0;
      remaining |= (byte & 0x7f) << shift;
      if (byte >= 0x80) continue;
      const first = chunk[start] ?? 0;
      const end = body + remaining;
      if (end > chunk.length || !isFromServer(first)) break;
      this.#at = end;
      return {
        kind: 'packet',
        type: first >> 4,
        flags: first & 0xf,
        bytes: chunk,
        start,
        body,
        end,
      };
    }
    return start === chunk.length ? undefined : this.#fromHeader();
  }

  /** A fixed header byte by byte. */
  #fromHeader(): Step | undefined {
    const header = this.#header;
    while (this.#at < this.#chunk.length) {
      const byte = this.#chunk[this.#at++] ?? 0;
      header[this.#headerBytes++] = byte;
      if (this.#headerBytes === 1) {
        if (!isFromServer(byte)) return this.#break(headerFault(byte));
        continue;
      }
      if (byte < 0x80) {
        let remaining = 0;
        for (let index = this.#headerBytes - 1; index > 0; index--)
          remaining = remaining * 0x80 + ((header[index] ?? 0) & 0x7f);
        this.#declared = remaining;
        return this.#admit(remaining);
      }
      if (this.#headerBytes === maxHeaderBytes)
        return this.#break(malformed('its length takes more than four bytes [MQTT-1.5.5-1]'));
    }
    return undefined;
  }

  #admit(remaining: number): Step | undefined {
    const packetBytes = this.#headerBytes + remaining;
    const first = this.#header[0] ?? 0;
    if (first >> 4 !== packetType.publish) {
      if (packetBytes > maxControlBytes)
        return this.#break(tooLarge(`${nameOf(first >> 4)} of ${packetBytes} bytes`));
      return this.#startBuffer(packetBytes);
    }
    const isHere = remaining <= this.#chunk.length - this.#at;
    switch (isHere ? 'buffer' : this.admit(packetBytes)) {
      case 'buffer':
        return this.#startBuffer(packetBytes);
      case 'wait':
        return { kind: 'waiting' };
      case 'stream':
        this.#declared = undefined;
        this.#headerBytes = 0;
        this.#streamed = remaining;
        return { kind: 'streamed', flags: first & 0xf, packetBytes, bodyBytes: remaining };
    }
  }

  #startBuffer(packetBytes: number): Step | undefined {
    // Memory that is not touched is not used: a declared length costs nothing before its bytes come.
    const buffer = Buffer.allocUnsafeSlow(packetBytes);
    this.#header.copy(buffer, 0, 0, this.#headerBytes);
    this.#filled = this.#headerBytes;
    this.#buffer = buffer;
    return this.#fill(buffer);
  }

  #fill(buffer: Buffer): Packet | undefined {
    const copied = this.#chunk.copy(buffer, this.#filled, this.#at);
    this.#at += copied;
    this.#filled += copied;
    if (this.#filled < buffer.length) return undefined;
    const body = this.#headerBytes;
    const first = buffer[0] ?? 0;
    this.#buffer = undefined;
    this.#declared = undefined;
    this.#filled = 0;
    this.#headerBytes = 0;
    const end = buffer.length;
    return {
      kind: 'packet',
      type: first >> 4,
      flags: first & 0xf,
      bytes: buffer,
      start: 0,
      body,
      end,
    };
  }

  #part(): Step | undefined {
    if (this.#at === this.#chunk.length) return undefined;
    const end = Math.min(this.#chunk.length, this.#at + this.#streamed);
    const bytes = this.#chunk.subarray(this.#at, end);
    this.#streamed -= bytes.length;
    this.#at = end;
    return { kind: 'part', bytes, isLast: this.#streamed === 0 };
  }

  #break(fault: Malformed): Step {
    this.#broken = { kind: 'broken', fault };
    return this.#broken;
  }
}
