// How large the packets are that a client announces, seen before aedes buffers them: its parser takes 256 MB.
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

/** Looks at everything that is read from a stream before its reader gets it. */
export function guardStream(
  stream: Duplex,
  maxPacketBytes: number,
  onFault: (fault: string) => void,
): void {
  const frames = new FrameGuard(maxPacketBytes);
  const read = stream.read.bind(stream);
  stream.read = (size) => {
    const chunk = read(size);
    const fault = chunk === null ? undefined : frames.fault(chunk);
    if (fault === undefined) return chunk;
    onFault(fault);
    return null;
  };
}
