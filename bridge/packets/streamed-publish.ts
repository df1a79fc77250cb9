// A PUBLISH that comes in parts, as it is too large to be held: first what stands before its payload, then the
// payload in chunks. Pure.
import type { Streamed } from './framer.ts';
import { packetType } from './packet-types.ts';
import { type Publish, readPublish } from './publish.ts';

/** Maximum bytes before the payload: a topic, a packet id, and properties. */
const maxHeadBytes = 256 * 1024;

export interface StreamedHead {
  /** Without its payload. Where it cannot be read, `fault` says why, and all after the fixed header is the payload. */
  readonly publish: Publish;
  readonly payloadBytes: number;
  /** The beginning of the payload. */
  readonly first: Buffer;
}

export class StreamedPublish {
  readonly #flags: number;
  /** All after the fixed header. */
  readonly #bytes: number;
  readonly #protocolVersion: 4 | 5;
  #head = Buffer.alloc(0);

  constructor({ flags, bodyBytes }: Streamed, protocolVersion: 4 | 5) {
    this.#flags = flags;
    this.#bytes = bodyBytes;
    this.#protocolVersion = protocolVersion;
  }

  /** Takes the next part, as long as it gives undefined. */
  take(part: Buffer): StreamedHead | undefined {
    const bytes = Buffer.concat([this.#head, part]);
    this.#head = bytes;
    const end = this.#headEnd(bytes);
    if (end === undefined) return undefined;
    const packet = {
      kind: 'packet',
      type: packetType.publish,
      flags: this.#flags,
      bytes,
      start: 0,
      body: 0,
      end: Math.min(end, bytes.length),
    } as const;
    const read = readPublish(packet, this.#protocolVersion);
    const payload = bytes.subarray(packet.end);
    if (!('malformed' in read))
      return { publish: read, payloadBytes: this.#bytes - packet.end, first: payload };
    const { malformed, topic, qos, packetId, retain } = read;
    const publish = {
      topic,
      qos,
      dup: (this.#flags & 8) !== 0,
      retain,
      packetId,
      properties: undefined,
      payload: Buffer.alloc(0),
      fault: malformed.reason,
    };
    return { publish, payloadBytes: this.#bytes, first: bytes };
  }

  /** Where the payload begins; undefined where more bytes are needed to know. It may be behind what is there. */
  #headEnd(bytes: Buffer): number | undefined {
    const isAll = bytes.length === this.#bytes;
    if (bytes.length < 2) return isAll ? bytes.length : undefined;
    const start = 2 + bytes.readUInt16BE(0) + ((this.#flags & 6) === 0 ? 0 : 2);
    if (this.#protocolVersion === 4) return this.#within(start, bytes, isAll);
    let length = 0;
    for (let at = start; at < start + 4; at++) {
      const byte = bytes[at];
      if (byte === undefined) return isAll ? bytes.length : undefined;
      length += (byte & 0x7f) * 0x80 ** (at - start);
      if (byte < 0x80) return this.#within(at + 1 + length, bytes, isAll);
    }
    // More than four bytes: malformed, as reading it will say.
    return bytes.length;
  }

  #within(end: number, bytes: Buffer, isAll: boolean): number | undefined {
    const isThere = end <= bytes.length || isAll || end > this.#bytes;
    // Too large a head is not waited for: it is read as far as it is there, and found to be cut.
    return isThere || bytes.length > maxHeadBytes ? end : undefined;
  }
}
