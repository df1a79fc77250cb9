// A block of a run: references in order, column by column, so that what is alike stands together; deflated.
import { ByteReader, ByteWriter, deflated, inflated, MalformedBytes } from '../segments/bytes.ts';
import { readFrontCoded, writeFrontCoded } from '../segments/front-coding.ts';
import type { SegmentId } from '../segments/segment-key.ts';
import { type Reference, timeStepMs } from './reference.ts';

/** First byte of a block; others are of a later version. */
const version = 1;

/** No block inflates to more: one that did would not be ours. */
const maxInflatedBytes = 4 * 1024 * 1024;

/** Encodes references that are sorted, one at least. */
export function encodeBlock(references: readonly Reference[]): Uint8Array {
  const topics: string[] = [];
  const counts: number[] = [];
  for (const { topic } of references) {
    if (topics.at(-1) === topic) counts[counts.length - 1] = (counts.at(-1) as number) + 1;
    else {
      topics.push(topic);
      counts.push(1);
    }
  }
  const writers = [...new Set(references.map(({ id }) => id.writer))];
  const indexes = new Map(writers.map((writer, index) => [writer, index]));
  const baseMs = references.reduce((minMs, { id }) => Math.min(minMs, id.stampMs), Infinity);

  const out = new ByteWriter(references.length * 12 + 64);
  out.uint(topics.length);
  writeFrontCoded(out, topics);
  for (const count of counts) out.uint(count);
  out.uint(writers.length);
  for (const writer of writers) out.text(writer);
  out.uint(baseMs);
  writeStamps(out, stampSteps(references, baseMs));
  for (const { id } of references) out.uint(indexes.get(id.writer) as number);
  for (const { id } of references) out.uint(id.sequence);
  for (const { id } of references) out.uint(id.level);
  for (const { count } of references) out.uint(count);
  for (const { retentionDays } of references) out.uint(retentionDays);
  for (const { id, lastMs } of references) out.int((id.stampMs - lastMs) / timeStepMs);
  for (const { firstMs, lastMs } of references) out.uint((lastMs - firstMs) / timeStepMs);
  return Buffer.concat([Buffer.of(version), deflated(out.finish())]);
}

/** Throws {@link MalformedBytes} for bytes that are no block: they are damaged, or of a later version. */
export function decodeBlock(bytes: Uint8Array): Reference[] {
  if (bytes[0] !== version) throw new MalformedBytes('no block of this version');
  const from = new ByteReader(inflated(bytes.subarray(1), maxInflatedBytes));
  const names = readFrontCoded(from, from.count());
  const counts = names.map(() => from.uint());
  const writers = from.list(from.count(), () => from.text());
  const baseMs = from.uint();
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total > from.left) throw new MalformedBytes('too many elements');
  const column = () => from.list(total, () => from.uint());
  const steps = readStamps(from, total);
  const writerIndexes = column();
  const sequences = column();
  const levels = column();
  const messages = column();
  const retentions = column();
  const ages = from.list(total, () => from.int());
  const spans = column();
  from.end();

  const references: Reference[] = [];
  for (const [index, topic] of names.entries()) {
    let stampMs = baseMs;
    for (let left = counts[index] as number; left > 0; left--) {
      const at = references.length;
      stampMs += steps[at] as number;
      const writer = writers[writerIndexes[at] as number];
      if (writer === undefined) throw new MalformedBytes('no such writer');
      const id: SegmentId = {
        level: levels[at] as number,
        stampMs,
        writer,
        sequence: sequences[at] as number,
      };
      const lastMs = stampMs - (ages[at] as number) * timeStepMs;
      references.push({
        topic,
        id,
        count: messages[at] as number,
        firstMs: lastMs - (spans[at] as number) * timeStepMs,
        lastMs,
        retentionDays: retentions[at] as number,
      });
    }
  }
  return references;
}

/** Stamps against the one before of the same topic; the first of a topic against the least of all. */
function stampSteps(references: readonly Reference[], baseMs: number): number[] {
  let topic: string | undefined;
  let beforeMs = baseMs;
  return references.map(({ topic: own, id }) => {
    const step = id.stampMs - (own === topic ? beforeMs : baseMs);
    topic = own;
    beforeMs = id.stampMs;
    return step;
  });
}

/** The lowest byte of each apart: it is noise, and what is above is nearly always the same. */
function writeStamps(out: ByteWriter, steps: readonly number[]): void {
  const unsigned = steps.map((step) => (step >= 0 ? step * 2 : -step * 2 - 1));
  out.raw(Uint8Array.from(unsigned, (value) => value % 256));
  for (const value of unsigned) out.uint(Math.floor(value / 256));
}

function readStamps(from: ByteReader, count: number): number[] {
  const low = from.raw(count);
  return from.list(count, (index) => {
    const value = from.uint() * 256 + (low[index] as number);
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  });
}
