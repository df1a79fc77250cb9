import { expect, test } from 'vitest';
import {
  base64Bytes,
  base64Pieces,
  base64PiecesOf,
  inChunks,
  pieceBytes,
  streamedInChunks,
  textBytes,
  textPieces,
} from '../../../functions/contract/json-pieces.ts';
import { fc } from '../../support/property.ts';

/** Sizes about those of pieces. */
const size = fc
  .tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: -5, max: 5 }))
  .map(([pieces, more]) => Math.max(0, pieces * pieceBytes + more));

const bytesOf = (length: number) => Buffer.from(Array.from({ length }, (_, at) => (at * 7) % 251));

async function* parts(bytes: Buffer, sizes: readonly number[]) {
  let at = 0;
  for (const length of sizes) {
    yield bytes.subarray(at, at + length);
    at += length;
  }
  yield bytes.subarray(at);
}

test('text is cut anywhere, within a character too, and is what JSON.stringify makes of it', () => {
  fc.assert(
    fc.property(size, fc.constantFrom('', 'x', '"', '\0', 'ä', '😀'), (length, odd) => {
      const text = `${'ä😀"'.repeat(length / 7)}${odd}`;
      const bytes = Buffer.from(text);
      const pieces = [...textPieces(bytes)];
      expect(`"${Buffer.concat(pieces)}"` === JSON.stringify(bytes.toString())).toBe(true);
      expect(textBytes(bytes)).toBe(Buffer.concat(pieces).length);
    }),
    { numRuns: 8 },
  );
});

test('base64 is the same in pieces, and of parts of any size', async () => {
  await fc.assert(
    fc.asyncProperty(size, fc.array(fc.nat({ max: 20_000 })), async (length, sizes) => {
      const bytes = bytesOf(length);
      const expected = bytes.toString('base64');
      expect(Buffer.concat([...base64Pieces(bytes)]).toString() === expected).toBe(true);
      expect(base64Bytes(length)).toBe(expected.length);
      const streamed: Buffer[] = [];
      for await (const piece of base64PiecesOf(parts(bytes, sizes))) streamed.push(piece);
      expect(Buffer.concat(streamed).toString() === expected).toBe(true);
    }),
    { numRuns: 15 },
  );
});

test('chunks have one size but for the last, and hold all of it', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat({ max: 300 })),
      fc.integer({ min: 1, max: 100 }),
      async (sizes, chunkSize) => {
        const pieces = sizes.map(bytesOf);
        const chunks = [...inChunks(pieces, chunkSize)];
        expect(Buffer.concat(chunks).equals(Buffer.concat(pieces))).toBe(true);
        for (const chunk of chunks.slice(0, -1)) expect(chunk).toHaveLength(chunkSize);
        expect(chunks.at(-1)?.length ?? 1).toBeGreaterThan(0);
        const streamed: Buffer[] = [];
        for await (const chunk of streamedInChunks(pieces, chunkSize)) streamed.push(chunk);
        expect(streamed).toEqual(chunks);
      },
    ),
  );
});
