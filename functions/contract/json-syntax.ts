// Whether bytes are a JSON text (RFC 8259), told without making anything of it: what JSON.parse builds of a few megabytes
// of brackets is larger than the memory of the bridge. Nothing here recurses, so no nesting is too deep. Pure.

const quote = 0x22;
const comma = 0x2c;
const minus = 0x2d;
const colon = 0x3a;
const openArray = 0x5b;
const backslash = 0x5c;
const closeArray = 0x5d;
const openObject = 0x7b;
const closeObject = 0x7d;

const escapes = new Set(Buffer.from('"\\/bfnrt'));
/** 1 for each byte that stands for itself in a string. */
const plain = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x20 && byte !== quote && byte !== backslash ? 1 : 0,
);
/** 1 for each byte of white space. */
const spaces = Uint8Array.from({ length: 256 }, (_, byte) =>
  ' \n\r\t'.includes(String.fromCharCode(byte)) ? 1 : 0,
);
/** By their first bytes. */
const literals: readonly (Buffer | undefined)[] = Array.from({ length: 256 }, (_, byte) =>
  [Buffer.from('true'), Buffer.from('false'), Buffer.from('null')].find(
    ([first]) => first === byte,
  ),
);

/** What some parsers do not take of JSON, though its grammar has it. */
export interface JsonBounds {
  /** Maximum arrays and objects within one another. */
  readonly depth: number;
  /** Maximum characters of a number. */
  readonly numberCharacters: number;
  /** Maximum bytes of a name in an object, as it is written. */
  readonly nameBytes: number;
  /** Whether `\ud800` may stand without its other half. */
  readonly halfSurrogates: boolean;
}

const unbounded: JsonBounds = {
  depth: Number.POSITIVE_INFINITY,
  numberCharacters: Number.POSITIVE_INFINITY,
  nameBytes: Number.POSITIVE_INFINITY,
  halfSurrogates: true,
};

/**
 * What parsers of common languages take with their default settings, in an event in a batch: .NET 64 levels, Jackson
 * numbers of 1,000 characters and names of 50,000, Rust's serde no half surrogate. One that refuses a value refuses the
 * batch.
 */
export const portable: JsonBounds = {
  depth: 60,
  numberCharacters: 1000,
  nameBytes: 10_000,
  halfSurrogates: false,
};

/** Of bytes that are UTF-8. */
export function isJsonText(bytes: Uint8Array, bounds = unbounded): boolean {
  open.clear();
  let at = space(bytes, 0);
  for (;;) {
    // A value begins.
    const first = bytes[at];
    if (first === openArray || first === openObject) {
      if (open.depth >= bounds.depth) return false;
      const inside = space(bytes, at + 1);
      if (bytes[inside] !== (first === openArray ? closeArray : closeObject)) {
        open.push(first);
        at = first === openArray ? inside : name(bytes, inside, bounds);
        if (at < 0) return false;
        continue;
      }
      at = inside + 1;
    } else {
      at = scalar(bytes, at, bounds);
    }
    // It has ended, and perhaps what it stands in.
    for (;;) {
      if (at < 0) return false;
      at = space(bytes, at);
      if (open.depth === 0) return at === bytes.length;
      const next = bytes[at];
      if (next === comma) {
        at = space(bytes, at + 1);
        if (open.last === openObject) at = name(bytes, at, bounds);
        if (at < 0) return false;
        break;
      }
      if (next !== (open.last === openArray ? closeArray : closeObject)) return false;
      open.pop();
      at++;
    }
  }
}

/** Brackets that are open: a byte for each. */
class Brackets {
  #bytes = new Uint8Array(64);
  depth = 0;

  clear(): void {
    this.depth = 0;
    if (this.#bytes.length > 4096) this.#bytes = new Uint8Array(64);
  }

  push(bracket: number): void {
    if (this.depth === this.#bytes.length) {
      const larger = new Uint8Array(2 * this.depth);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes[this.depth++] = bracket;
  }

  pop(): void {
    this.depth--;
  }

  get last(): number | undefined {
    return this.#bytes[this.depth - 1];
  }
}

/** One for all texts, of which one is looked at at a time. */
const open = new Brackets();

function space(bytes: Uint8Array, start: number): number {
  let at = start;
  while (at < bytes.length && spaces[bytes[at] as number] === 1) at++;
  return at;
}

// Each of these gives where something ends that begins at `start`, or -1 where there is no such thing.

/** A name and its colon, up to its value. */
function name(bytes: Uint8Array, start: number, bounds: JsonBounds): number {
  const end = string(bytes, start, bounds.halfSurrogates);
  if (end < 0 || end - start - 2 > bounds.nameBytes) return -1;
  const at = space(bytes, end);
  return bytes[at] === colon ? space(bytes, at + 1) : -1;
}

function scalar(bytes: Uint8Array, start: number, bounds: JsonBounds): number {
  const first = bytes[start];
  if (first === quote) return string(bytes, start, bounds.halfSurrogates);
  const literal = first === undefined ? undefined : literals[first];
  if (literal === undefined) {
    const end = number(bytes, start);
    return end - start > bounds.numberCharacters ? -1 : end;
  }
  for (let index = 0; index < literal.length; index++)
    if (bytes[start + index] !== literal[index]) return -1;
  return start + literal.length;
}

function string(bytes: Uint8Array, start: number, halfSurrogates: boolean): number {
  if (bytes[start] !== quote) return -1;
  const { length } = bytes;
  let at = start + 1;
  for (;;) {
    while (at + 4 <= length && isPlain(bytes, at) && isPlain(bytes, at + 2)) at += 4;
    while (at < length && plain[bytes[at] as number] === 1) at++;
    const byte = bytes[at];
    if (byte === quote) return at + 1;
    if (byte !== backslash) return -1;
    at = escapeEnd(bytes, at + 1, halfSurrogates);
    if (at < 0) return -1;
  }
}

/** Whether the two bytes from `at` on stand for themselves: two looks at once take less time than one after the other. */
function isPlain(bytes: Uint8Array, at: number): boolean {
  return (
    ((plain[bytes[at] as number] as number) & (plain[bytes[at + 1] as number] as number)) === 1
  );
}

/** Of what stands behind a backslash. */
function escapeEnd(bytes: Uint8Array, start: number, halfSurrogates: boolean): number {
  const escaped = bytes[start] ?? 0;
  if (escaped !== 0x75) return escapes.has(escaped) ? start + 1 : -1;
  const unit = codeUnit(bytes, start + 1);
  const end = start + 5;
  if (unit < 0) return -1;
  if (halfSurrogates || (unit & 0xf800) !== 0xd800) return end;
  const isPair = (unit & 0x400) === 0 && bytes[end] === backslash && bytes[end + 1] === 0x75;
  return isPair && (codeUnit(bytes, end + 2) & 0xfc00) === 0xdc00 ? end + 6 : -1;
}

/** The four hexadecimal digits at `start` as a number, or -1. */
function codeUnit(bytes: Uint8Array, start: number): number {
  let unit = 0;
  for (let at = start; at < start + 4; at++) {
    const byte = bytes[at];
    if (byte === undefined || !isHex(byte)) return -1;
    unit = unit * 16 + (isDigit(byte) ? byte - 0x30 : (byte | 0x20) - 0x57);
  }
  return unit;
}

function number(bytes: Uint8Array, start: number): number {
  let at = bytes[start] === minus ? start + 1 : start;
  const whole = digits(bytes, at);
  // No digit stands behind a leading zero.
  if (whole === at || (bytes[at] === 0x30 && whole > at + 1)) return -1;
  at = whole;
  if (bytes[at] === 0x2e) {
    const end = digits(bytes, at + 1);
    if (end === at + 1) return -1;
    at = end;
  }
  if (bytes[at] === 0x65 || bytes[at] === 0x45) {
    const sign = bytes[at + 1];
    const from = sign === 0x2b || sign === minus ? at + 2 : at + 1;
    at = digits(bytes, from);
    if (at === from) return -1;
  }
  return at;
}

function digits(bytes: Uint8Array, start: number): number {
  let at = start;
  while (isDigit(bytes[at])) at++;
  return at;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

function isHex(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  const lower = byte | 0x20;
  return isDigit(byte) || (lower >= 0x61 && lower <= 0x66);
}
