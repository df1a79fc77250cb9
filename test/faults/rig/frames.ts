// Where MQTT packets begin and end in a stream of bytes, and what is in them.
import { type Packet, parser } from 'mqtt-packet';

export interface Frame {
  readonly packet: Packet;
  readonly bytes: Buffer;
  /** Where it begins in the chunk that completed it; below 0 where it began in an earlier one. */
  readonly start: number;
}

/** Cuts one direction of a connection into packets; keeps what is not complete. */
export class Framer {
  /** MQTT 5 packets are read otherwise; CONNECT says which it is. */
  version = 4;
  /** What is not complete, as it came, and how long it is; as long as `#needed` it is worth a look. */
  #rest: Buffer[] = [];
  #restLength = 0;
  #needed = 0;

  push(chunk: Buffer): Frame[] {
    const before = this.#restLength;
    this.#rest.push(chunk);
    this.#restLength += chunk.length;
    if (this.#restLength < this.#needed) return [];
    const bytes = before === 0 ? chunk : Buffer.concat(this.#rest);
    const frames: Frame[] = [];
    let at = 0;
    for (;;) {
      const length = packetLength(bytes.subarray(at));
      this.#needed = length ?? 0;
      if (length === undefined || at + length > bytes.length) break;
      const whole = bytes.subarray(at, at + length);
      frames.push({ packet: parse(whole, this.version), bytes: whole, start: at - before });
      at += length;
    }
    this.#rest = at === bytes.length ? [] : [bytes.subarray(at)];
    this.#restLength = bytes.length - at;
    return frames;
  }
}

function parse(bytes: Buffer, protocolVersion: number): Packet {
  const packets: Packet[] = [];
  const reader = parser({ protocolVersion });
  reader.on('packet', (packet) => packets.push(packet));
  reader.parse(bytes);
  const [packet] = packets;
  if (packet === undefined) throw new Error('not an MQTT packet');
  return packet;
}

/** Fixed header, remaining length (up to four bytes of seven bits each) and what it announces. */
function packetLength(bytes: Buffer): number | undefined {
  let remaining = 0;
  for (let index = 1; index <= 4; index++) {
    const byte = bytes[index];
    if (byte === undefined) return undefined;
    remaining += (byte & 0x7f) * 128 ** (index - 1);
    if (byte < 0x80) return 1 + index + remaining;
  }
  throw new Error('not MQTT: the remaining length has more than four bytes');
}
