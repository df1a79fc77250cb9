// MQTT's data types read from bytes, strictly. The first rule that is broken is kept, and nothing is read after it.
import { isUtf8 } from 'node:buffer';
import { Reason } from './reasons.ts';

/** A rule that a packet breaks. */
export interface Fault {
  /** The MQTT 5 reason code for it. */
  readonly reason: number;
  /** The rule in words, with its clause. */
  readonly rule: string;
  /** The connection is closed without a word. */
  readonly silent?: true;
}

export const malformed = (rule: string): Fault => ({ reason: Reason.malformedPacket, rule });
export const protocolError = (rule: string): Fault => ({ reason: Reason.protocolError, rule });

export const zeroPacketId = protocolError('the packet id must not be 0 [MQTT-2.2.1-3]');

const tooShort = malformed('a field is longer than its packet');
const none = Buffer.alloc(0);

export class Cursor {
  readonly bytes: Buffer;
  at: number;
  /** Where the part ends that is read. */
  readonly end: number;
  fault: Fault | undefined;

  constructor(bytes: Buffer, at: number, end = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
    if (end > bytes.length) this.fault = tooShort;
  }

  /** Nothing is left, or what is left cannot be read. */
  get done(): boolean {
    return this.at >= this.end || this.fault !== undefined;
  }

  fail(fault: Fault): void {
    this.fault ??= fault;
  }

  byte(): number {
    if (!this.#has(1)) return 0;
    return this.bytes[this.at++] ?? 0;
  }

  twoBytes(): number {
    if (!this.#has(2)) return 0;
    const value = this.bytes.readUInt16BE(this.at);
    this.at += 2;
    return value;
  }

  fourBytes(): number {
    if (!this.#has(4)) return 0;
    const value = this.bytes.readUInt32BE(this.at);
    this.at += 4;
    return value;
  }

  packetId(): number {
    const value = this.twoBytes();
    if (value === 0) this.fail(zeroPacketId);
    return value;
  }

  variableByteInteger(): number {
    let value = 0;
    for (let index = 0; index < 4; index++) {
      const byte = this.byte();
      value += (byte & 0x7f) * 128 ** index;
      if ((byte & 0x80) !== 0) continue;
      if (byte === 0 && index > 0)
        this.fail(malformed('an integer has more bytes than it needs [MQTT-1.5.5-1]'));
      return value;
    }
    this.fail(malformed('an integer has more than four bytes'));
    return value;
  }

  binary(): Buffer {
    const length = this.twoBytes();
    if (!this.#has(length)) return none;
    const value = this.bytes.subarray(this.at, this.at + length);
    this.at += length;
    return value;
  }

  string(): string {
    const length = this.twoBytes();
    if (!this.#has(length)) return '';
    const { bytes, at } = this;
    const end = at + length;
    this.at = end;
    for (let index = at; index < end; index++) {
      const byte = bytes[index] ?? 0;
      // ASCII without controls is nearly all there is.
      if (byte < 0x20 || byte > 0x7e) return this.#unusualString(at, end);
    }
    return bytes.toString('latin1', at, end);
  }

  #unusualString(from: number, to: number): string {
    const part = this.bytes.subarray(from, to);
    if (!isUtf8(part)) {
      this.fail(malformed('a string is not well-formed UTF-8 [MQTT-1.5.4-1]'));
      return '';
    }
    const text = part.toString('utf8');
    // A receiver may refuse the others too [MQTT-1.5.4]: mosquitto does, and so a bridge to it could not pass them on.
    if (unusable.test(text))
      this.fail(
        malformed('a string has U+0000, control characters or noncharacters [MQTT-1.5.4-2]'),
      );
    return text;
  }

  #has(length: number): boolean {
    if (this.fault !== undefined) return false;
    if (this.at + length <= this.end) return true;
    this.fault = tooShort;
    return false;
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const unusable = /[\u0000-\u001f\u007f-\u009f]|\p{Noncharacter_Code_Point}/u;
