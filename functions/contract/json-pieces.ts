// Bytes as the text of a JSON string, piece by piece: however large they are, no string of all of them is made, and how
// long the text will be is known before any of it is kept.

/** Bytes taken at a time: a multiple of 3, so that base64 pads the last piece alone. */
export const pieceBytes = 48 * 1024;

/**
 * A JSON string, of bytes that are UTF-8. Nothing but ASCII needs an escape, and every other byte stands for itself: so
 * each byte can be taken for a character, and text be cut anywhere.
 */
function quoted(bytes: Buffer, start: number): string {
  return JSON.stringify(bytes.toString('latin1', start, start + pieceBytes));
}

/** Bytes of {@link textPieces}; where those are more than `maxBytes`, it stops counting and says something above it. */
export function textBytes(bytes: Buffer, maxBytes = Number.POSITIVE_INFINITY): number {
  let sum = 0;
  for (let start = 0; start < bytes.length && sum <= maxBytes; start += pieceBytes)
    sum += quoted(bytes, start).length - 2;
  return sum;
}

/** UTF-8 bytes as they stand in a JSON string. */
export function* textPieces(bytes: Buffer): Generator<Buffer> {
  for (let start = 0; start < bytes.length; start += pieceBytes)
    yield Buffer.from(quoted(bytes, start), 'latin1').subarray(1, -1);
}

/** Bytes of {@link base64Pieces}. */
export function base64Bytes(length: number): number {
  return Math.ceil(length / 3) * 4;
}

/** Any bytes as base64. */
export function* base64Pieces(bytes: Buffer): Generator<Buffer> {
  for (let start = 0; start < bytes.length; start += pieceBytes)
    yield Buffer.from(bytes.toString('base64', start, start + pieceBytes), 'latin1');
}

/** As {@link base64Pieces}, of bytes that come in parts of any size. */
export async function* base64PiecesOf(parts: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0);
  for await (const part of parts) {
    const bytes = Buffer.concat([rest, part]);
    const whole = bytes.length - (bytes.length % 3);
    yield* base64Pieces(bytes.subarray(0, whole));
    rest = Buffer.from(bytes.subarray(whole));
  }
  yield* base64Pieces(rest);
}

/** Pieces of any size become chunks of `size` bytes, the last one of the rest. Holds one at a time. */
class Chunks {
  readonly #size: number;
  #chunk: Buffer;
  #used = 0;

  constructor(size: number) {
    this.#size = size;
    this.#chunk = Buffer.allocUnsafe(size);
  }

  *add(piece: Buffer): Generator<Buffer> {
    for (let taken = 0; taken < piece.length; ) {
      const count = piece.copy(this.#chunk, this.#used, taken);
      taken += count;
      this.#used += count;
      if (this.#used < this.#size) continue;
      yield this.#chunk;
      this.#chunk = Buffer.allocUnsafe(this.#size);
      this.#used = 0;
    }
  }

  *rest(): Generator<Buffer> {
    if (this.#used > 0) yield this.#chunk.subarray(0, this.#used);
  }
}

export function* inChunks(pieces: Iterable<Buffer>, size: number): Generator<Buffer> {
  const chunks = new Chunks(size);
  for (const piece of pieces) yield* chunks.add(piece);
  yield* chunks.rest();
}

/** As {@link inChunks}, of pieces that are still coming. */
export async function* streamedInChunks(
  pieces: Iterable<Buffer> | AsyncIterable<Buffer>,
  size: number,
): AsyncGenerator<Buffer> {
  const chunks = new Chunks(size);
  for await (const piece of pieces) yield* chunks.add(piece);
  yield* chunks.rest();
}

/** A view of the same bytes as a Buffer, for its codecs; copies nothing. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
