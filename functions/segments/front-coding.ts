// Texts that begin alike, each as what it shares with the one before and the rest: topics in order, ids that count up.
import type { ByteReader, ByteWriter } from './bytes.ts';
import { MalformedBytes } from './bytes.ts';

/** Writes well-formed texts; sorted ones take the fewest bytes. The reader has to know how many they are. */
export function writeFrontCoded(writer: ByteWriter, texts: readonly string[]): void {
  const rests: Buffer[] = [];
  let last = '';
  for (const text of texts) {
    const shared = sharedLength(last, text);
    writer.uint(shared);
    rests.push(Buffer.from(shared === 0 ? text : text.slice(shared), 'utf8'));
    last = text;
  }
  // Column by column: what stands together is alike, and deflates better.
  for (const rest of rests) writer.uint(rest.byteLength);
  for (const rest of rests) writer.raw(rest);
}

export function readFrontCoded(reader: ByteReader, count: number): string[] {
  const shared = reader.list(count, () => reader.uint());
  const lengths = reader.list(count, () => reader.uint());
  let last = '';
  return reader.list(count, (index) => {
    const length = shared[index] as number;
    if (length > last.length) throw new MalformedBytes('shares more than there is');
    last = last.slice(0, length) + reader.raw(lengths[index] as number).toString('utf8');
    return last;
  });
}

/** UTF-16 units that two texts begin with, no surrogate pair cut. */
function sharedLength(a: string, b: string): number {
  const maxLength = Math.min(a.length, b.length);
  let length = 0;
  while (length < maxLength && a.charCodeAt(length) === b.charCodeAt(length)) length++;
  const isCut = length > 0 && isHighSurrogate(b.charCodeAt(length - 1));
  return isCut ? length - 1 : length;
}

function isHighSurrogate(unit: number): boolean {
  return (unit & 0xfc00) === 0xd800;
}
