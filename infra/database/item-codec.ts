// An item as bytes, and back: the form in which the embedded table keeps it on disk. A length stands before all that
// has one, so reading never searches; the first byte is the form's version.
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { Item } from './values/attribute-values.ts';
import { canonicalNumber } from './values/numbers.ts';

const version = 1;

/** The byte that says what follows. Numbers on disk: never change one. */
const tags = { S: 1, N: 2, B: 3, true: 4, false: 5, NULL: 6, M: 7, L: 8, SS: 9, NS: 10, BS: 11 };

/** Grows as needed, and is used again by the next item: an item is copied out when it is whole. */
let scratch = Buffer.allocUnsafe(64 * 1024);
let end = 0;

/** The item, valid, as bytes: numbers in the one form that DynamoDB gives back. Attributes that are `undefined` are left out. */
export function encodeItem(item: Item): Buffer {
  end = 0;
  writeByte(version);
  writeMap(item);
  return Buffer.from(scratch.subarray(0, end));
}

function room(bytes: number): void {
  if (end + bytes <= scratch.length) return;
  const larger = Buffer.allocUnsafe(Math.max(scratch.length * 2, end + bytes));
  scratch.copy(larger, 0, 0, end);
  scratch = larger;
}

function writeByte(byte: number): void {
  room(1);
  scratch[end++] = byte;
}

/** Seven bits a byte, the lowest first. */
function writeLength(length: number): void {
  room(5);
  let left = length;
  while (left > 0x7f) {
    scratch[end++] = (left & 0x7f) | 0x80;
    left >>>= 7;
  }
  scratch[end++] = left;
}

/** Names and most values are short ASCII: written byte by byte, they need no call out of JavaScript. */
const maxShortText = 48;

function writeText(text: string): void {
  if (text.length <= maxShortText) {
    room(1 + text.length);
    let at = end + 1;
    let isAscii = true;
    for (let index = 0; index < text.length && isAscii; index++) {
      const code = text.charCodeAt(index);
      isAscii = code < 0x80;
      scratch[at++] = code;
    }
    if (isAscii) {
      scratch[end] = text.length;
      end = at;
      return;
    }
  }
  const bytes = Buffer.byteLength(text);
  writeLength(bytes);
  room(bytes);
  end += scratch.write(text, end, bytes, 'utf8');
}

function writeNumber(text: string): void {
  writeText(canonicalNumber(text));
}

function writeBytes(bytes: Uint8Array): void {
  writeLength(bytes.byteLength);
  room(bytes.byteLength);
  scratch.set(bytes, end);
  end += bytes.byteLength;
}

function writeMap(item: Item): void {
  let count = 0;
  for (const name in item) if (item[name] !== undefined) count++;
  writeLength(count);
  for (const name in item) {
    const value = item[name];
    if (value === undefined) continue;
    writeText(name);
    writeValue(value);
  }
}

function writeList<T>(tag: number, members: readonly T[], write: (member: T) => void): void {
  writeByte(tag);
  writeLength(members.length);
  for (const member of members) write(member);
}

function writeValue(value: AttributeValue): void {
  if (value.S !== undefined) {
    writeByte(tags.S);
    writeText(value.S);
  } else if (value.N !== undefined) {
    writeByte(tags.N);
    writeNumber(value.N);
  } else if (value.B !== undefined) {
    writeByte(tags.B);
    writeBytes(value.B);
  } else if (value.BOOL !== undefined) writeByte(value.BOOL ? tags.true : tags.false);
  else if (value.NULL !== undefined) writeByte(tags.NULL);
  else if (value.M !== undefined) {
    writeByte(tags.M);
    writeMap(value.M);
  } else if (value.L !== undefined) writeList(tags.L, value.L, writeValue);
  else if (value.SS !== undefined) writeList(tags.SS, value.SS, writeText);
  else if (value.NS !== undefined) writeList(tags.NS, value.NS, writeNumber);
  else writeList(tags.BS, value.BS ?? [], writeBytes);
}

/** The item in `bytes`, its binary values as copies. Throws where they are no item of a known version: the disk lies. */
export function decodeItem(bytes: Buffer): Item {
  const reader = { bytes, at: 0 };
  const found = readByte(reader);
  if (found !== version) throw new Error(`a stored item has the unknown version ${found}`);
  return readMap(reader);
}

interface Reader {
  readonly bytes: Buffer;
  at: number;
}

function readByte(reader: Reader): number {
  const byte = reader.bytes[reader.at++];
  if (byte === undefined) throw new Error('a stored item is cut off');
  return byte;
}

function readLength(reader: Reader): number {
  let length = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = readByte(reader);
    length += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return length;
  }
}

function readText(reader: Reader): string {
  const length = readLength(reader);
  const start = reader.at;
  reader.at += length;
  return reader.bytes.toString('utf8', start, reader.at);
}

function readBytes(reader: Reader): Uint8Array {
  const length = readLength(reader);
  const start = reader.at;
  reader.at += length;
  return new Uint8Array(reader.bytes.subarray(start, reader.at));
}

function readMap(reader: Reader): Item {
  const item: Item = {};
  for (let left = readLength(reader); left > 0; left--) {
    const name = readText(reader);
    // Set by definition: an attribute may be called `__proto__`.
    if (name === '__proto__')
      Object.defineProperty(item, name, {
        value: readValue(reader),
        enumerable: true,
        writable: true,
        configurable: true,
      });
    else item[name] = readValue(reader);
  }
  return item;
}

function readList<T>(reader: Reader, read: (reader: Reader) => T): T[] {
  return Array.from({ length: readLength(reader) }, () => read(reader));
}

function readValue(reader: Reader): AttributeValue {
  const tag = readByte(reader);
  switch (tag) {
    case tags.S:
      return { S: readText(reader) };
    case tags.N:
      return { N: readText(reader) };
    case tags.B:
      return { B: readBytes(reader) };
    case tags.true:
      return { BOOL: true };
    case tags.false:
      return { BOOL: false };
    case tags.NULL:
      return { NULL: true };
    case tags.M:
      return { M: readMap(reader) };
    case tags.L:
      return { L: readList(reader, readValue) };
    case tags.SS:
      return { SS: readList(reader, readText) };
    case tags.NS:
      return { NS: readList(reader, readText) };
    case tags.BS:
      return { BS: readList(reader, readBytes) };
    default:
      throw new Error(`a stored item has a value of the unknown type ${tag}`);
  }
}
