// Numbers and texts as bytes, one behind the other, and back; and bytes deflated, and inflated within a bound.
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { asBuffer } from '../contract/json-pieces.ts';

/** What is read is not what was written: it is cut off, or other bytes. */
export class MalformedBytes extends Error {}

/** Writes into one buffer that grows. */
export class ByteWriter {
  #buffer: Buffer;
  #length = 0;

  /** `bytes` is about how many will be written; a wrong guess costs a copy. */
  constructor(bytes = 1024) {
    this.#buffer = Buffer.allocUnsafe(Math.max(bytes, 16));
  }

  /** A whole number from 0 to 2^53 − 1, seven bits a byte. */
  uint(value: number): void {
    this.#reserve(8);
    let rest = value;
    while (rest >= 128) {
      this.#buffer[this.#length++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    this.#buffer[this.#length++] = rest;
  }

  /** A whole number from −2^52 to 2^52 − 1; small ones of either sign take few bytes. */
  int(value: number): void {
    this.uint(value >= 0 ? value * 2 : -value * 2 - 1);
  }

  /** Well-formed text, with its length. */
  text(text: string): void {
    this.block(Buffer.from(text, 'utf8'));
  }

  /** Bytes with their number. */
  block(bytes: Uint8Array): void {
    this.uint(bytes.byteLength);
    this.raw(bytes);
  }

  /** Bytes as they are; a reader has to know how many. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.byteLength);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.byteLength;
  }

  /** What has been written: a view, to be used before more is. */
  finish(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#buffer.byteLength) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#buffer.byteLength));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}

/** Reads what a {@link ByteWriter} wrote, in the same order. Throws {@link MalformedBytes} where it is something else. */
export class ByteReader {
  readonly #buffer: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#buffer = asBuffer(bytes);
  }

  get left(): number {
    return this.#buffer.byteLength - this.#at;
  }

  uint(): number {
    let value = 0;
    for (let factor = 1; factor <= 2 ** 49; factor *= 128) {
      const byte = this.#buffer[this.#at++];
      if (byte === undefined) break;
      value += (byte & 127) * factor;
      if (byte < 128) {
        if (!Number.isSafeInteger(value)) break;
        return value;
      }
    }
    throw new MalformedBytes('no number');
  }

  int(): number {
    const value = this.uint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  text(): string {
    return this.raw(this.uint()).toString('utf8');
  }

  block(): Buffer {
    return this.raw(this.uint());
  }

  /** A view of the next `count` bytes. */
  raw(count: number): Buffer {
    if (count > this.left) throw new MalformedBytes('cut off');
    this.#at += count;
    return this.#buffer.subarray(this.#at - count, this.#at);
  }

  /** A number of elements that follow, each of which takes a byte at least. */
  count(): number {
    const count = this.uint();
    if (count > this.left) throw new MalformedBytes('too many elements');
    return count;
  }

  /** `count` elements. */
  list<T>(count: number, read: (index: number) => T): T[] {
    const elements: T[] = [];
    for (let index = 0; index < count; index++) elements.push(read(index));
    return elements;
  }

  end(): void {
    if (this.left > 0) throw new MalformedBytes('more than was written');
  }
}

/** With zlib's own settings: smaller windows take as long for what is packed. */
export function deflated(bytes: Uint8Array): Buffer {
  return deflateRawSync(bytes);
}

/** Throws {@link MalformedBytes} for what no {@link deflated} gave, or for more than `maxBytes`. */
export function inflated(bytes: Uint8Array, maxBytes: number): Buffer {
  try {
    return inflateRawSync(bytes, { maxOutputLength: maxBytes });
  } catch {
    throw new MalformedBytes('does not inflate');
  }
}
