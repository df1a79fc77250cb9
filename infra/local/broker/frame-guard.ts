// How large the packets are that a client announces, seen before aedes buffers them: its parser takes 256 MB. And how
// much has come, from all clients together, of packets that it still waits for.
import type { Duplex } from 'node:stream';

/** CONNECT comes from anybody, so it gets less: client id, user, password and a will of ordinary size. */
const maxConnectBytes = 128 * 1024;

export class FrameGuard {
  readonly #maxPacketBytes: number;
  #first = true;
  /** Bytes of the present packet's body that are still to come. */
  #body = 0;
  /** Bytes of the remaining length that have been read; -1 before the packet's first byte. */
  #lengthBytes = -1;
  #length = 0;

  constructor(maxPacketBytes: number) {
    this.#maxPacketBytes = maxPacketBytes;
  }

  /** Bytes that have come of a packet that is not whole. */
  get partialBytes(): number {
    return this.#body > 0 ? this.#length - this.#body : 0;
  }

  /** Takes what was read from the client; the rule that it breaks, in words, or undefined. */
  fault(chunk: Buffer): string | undefined {
    for (let at = 0; at < chunk.length; ) {
      if (this.#body > 0) {
        const taken = Math.min(this.#body, chunk.length - at);
        this.#body -= taken;
        at += taken;
        continue;
      }
      const byte = chunk[at++] ?? 0;
      if (this.#lengthBytes === -1) {
        // Type 1 and no flags [MQTT-3.1.0-1].
        if (this.#first && byte !== 0x10) return 'the first packet must be CONNECT';
        this.#lengthBytes = 0;
        this.#length = 0;
        continue;
      }
      this.#length += (byte & 0x7f) * 128 ** this.#lengthBytes++;
      if ((byte & 0x80) !== 0) {
        if (this.#lengthBytes === 4) return 'the remaining length has more than four bytes';
        continue;
      }
      const limit = this.#first
        ? Math.min(maxConnectBytes, this.#maxPacketBytes)
        : this.#maxPacketBytes;
      if (this.#length > limit) return `a packet of ${this.#length} bytes, over ${limit}`;
      this.#first = false;
      this.#body = this.#length;
      this.#lengthBytes = -1;
    }
    return undefined;
  }
}

/** What has come of packets that are not whole, of all connections: nobody is known to be good by what he begins. */
export class PartialPackets {
  readonly #maxBytes: number;
  #bytes = 0;
  /** By how a connection is closed; the one whose packet began first is the first. */
  readonly #held = new Map<() => void, number>();

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** A connection has so many bytes of a packet now, or 0 for none. Closes others, or it, where all have too many. */
  note(close: () => void, bytes: number): void {
    const before = this.#held.get(close) ?? 0;
    this.#bytes += bytes - before;
    // Fewer than before are another packet's, which goes behind.
    if (bytes < before || bytes === 0) this.#held.delete(close);
    if (bytes > 0) this.#held.set(close, bytes);
    for (const [closeFirst, held] of this.#held) {
      if (this.#bytes <= this.#maxBytes) return;
      this.#held.delete(closeFirst);
      this.#bytes -= held;
      closeFirst();
    }
  }
}

/** What a stream's packets are held to. */
export interface StreamGuard {
  readonly maxPacketBytes: number;
  readonly partialPackets: PartialPackets;
  readonly onFault: (fault: string) => void;
  /** All clients have begun too much, and this one's packet has been on its way for longest. */
  readonly onTooSlow: () => void;
}

/** Looks at everything that is read from a stream before its reader gets it. */
export function guardStream(
  stream: Duplex,
  { maxPacketBytes, partialPackets, onFault, onTooSlow }: StreamGuard,
): void {
  const frames = new FrameGuard(maxPacketBytes);
  const read = stream.read.bind(stream);
  stream.read = (size) => {
    const chunk = read(size);
    if (chunk === null) return null;
    const fault = frames.fault(chunk);
    if (fault === undefined) {
      partialPackets.note(onTooSlow, frames.partialBytes);
      return chunk;
    }
    onFault(fault);
    return null;
  };
  stream.once('close', () => partialPackets.note(onTooSlow, 0));
}
