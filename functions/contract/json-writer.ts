// JSON text written as bytes, into one buffer that is used again for the next text: most of what a request carries needs
// no escape, and no string is made of it.

/** A larger buffer is not kept for the next text. */
const maxKeptBytes = 1024 * 1024;
const firstBytes = 64 * 1024;
/** `\u0000` takes six bytes. */
const maxEscapedBytes = 6;

const maxIntegerDigits = 10;

const quote = 0x22;
const backslash = 0x5c;
const unicodeEscape = 0x75;
const hexDigits = Buffer.from('0123456789abcdef');

/** What stands behind the backslash of an ASCII character; 0 where it needs none [RFC 8259, 7]. */
const escapes = Uint8Array.from({ length: 256 }, (_, byte) => {
  const shortOnes: Readonly<Record<number, string>> = { 8: 'b', 9: 't', 10: 'n', 12: 'f', 13: 'r' };
  if (byte === quote || byte === backslash) return byte;
  return byte < 0x20 ? (shortOnes[byte]?.charCodeAt(0) ?? unicodeEscape) : 0;
});

export class JsonWriter {
  #bytes = Buffer.allocUnsafeSlow(firstBytes);
  #length = 0;

  /** Bytes that have been written. */
  get length(): number {
    return this.#length;
  }

  /** Begins a new text. */
  clear(): void {
    this.#length = 0;
    if (this.#bytes.length > maxKeptBytes) this.#bytes = Buffer.allocUnsafeSlow(firstBytes);
  }

  /** Copies what was written from `start` to `end`; gives how many bytes that are. */
  copy(target: Buffer, at: number, start: number, end: number): number {
    return this.#bytes.copy(target, at, start, end);
  }

  /** A copy of what was written. */
  bytes(): Buffer {
    const bytes = Buffer.allocUnsafeSlow(this.#length);
    this.copy(bytes, 0, 0, this.#length);
    return bytes;
  }

  toString(): string {
    return this.#bytes.toString('utf8', 0, this.#length);
  }

  /** Bytes as they are. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length).set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Text as it is; short and of ASCII alone, mostly. */
  text(text: string): void {
    const { length } = text;
    const bytes = this.#reserve(length);
    let at = this.#length;
    for (let index = 0; index < length; index++) {
      const unit = text.charCodeAt(index);
      if (unit >= 0x80) return this.#utf8(text);
      bytes[at++] = unit;
    }
    this.#length = at;
  }

  /** A whole number from 0 to 2^31 - 1. */
  integer(value: number): void {
    const bytes = this.#reserve(maxIntegerDigits);
    let digits = 1;
    for (let least = 10; least <= value; least *= 10) digits++;
    const end = this.#length + digits;
    let rest = value;
    for (let at = end - 1; at >= this.#length; at--) {
      bytes[at] = 0x30 + (rest % 10);
      rest = (rest / 10) | 0;
    }
    this.#length = end;
  }

  /** Text as a JSON string. */
  string(text: string): void {
    const { length } = text;
    const bytes = this.#reserve(length + 2);
    let at = this.#length;
    bytes[at++] = quote;
    for (let index = 0; index < length; index++) {
      const unit = text.charCodeAt(index);
      if (unit >= 0x80 || escapes[unit] !== 0) return this.#utf8(JSON.stringify(text));
      bytes[at++] = unit;
    }
    bytes[at++] = quote;
    this.#length = at;
  }

  /** UTF-8 as it stands within a JSON string: every byte but those of ASCII characters with an escape is itself. */
  escaped(utf8: Uint8Array): void {
    const { length } = utf8;
    const bytes = this.#reserve(length * maxEscapedBytes);
    let at = this.#length;
    for (let index = 0; index < length; index++) {
      const byte = utf8[index] as number;
      const escaped = escapes[byte] as number;
      if (escaped === 0) {
        bytes[at++] = byte;
        continue;
      }
      bytes[at++] = backslash;
      bytes[at++] = escaped;
      if (escaped !== unicodeEscape) continue;
      bytes[at++] = 0x30;
      bytes[at++] = 0x30;
      bytes[at++] = hexDigits[byte >> 4] as number;
      bytes[at++] = hexDigits[byte & 0xf] as number;
    }
    this.#length = at;
  }

  #utf8(text: string): void {
    // A UTF-16 unit takes three bytes at most.
    const bytes = this.#reserve(text.length * 3);
    this.#length += bytes.write(text, this.#length);
  }

  /** The buffer, with room for so many bytes more. */
  #reserve(count: number): Buffer {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return this.#bytes;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#bytes.length));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
    return larger;
  }
}
