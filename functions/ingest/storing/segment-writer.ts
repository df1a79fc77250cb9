// Writes the segments of a request to the log, each attempt under a new stamp: what is acknowledged was stored at the time that
// its key says, so that no index that has read up to a time has missed what is below it.
import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { fullJitterMs } from '../../contract/backoff.ts';
import { type SegmentId, sequences, writerLength } from '../../segments/segment-key.ts';
import { segmentItem } from '../../segments/stored-segments.ts';
import { itemBytes } from '../../table/chunks.ts';
import type { Item } from '../../table/item.ts';
import { LogMarks } from './log-marks.ts';
import type { Part } from './packing.ts';
import type { Entry } from './plan.ts';
import type { Unwritten, Write } from './writer.ts';

export interface SegmentWriterOptions {
  readonly write: Write;
  readonly now: () => number;
  /** The time by the table's clock, in milliseconds since 1970. */
  readonly tableNow: () => number;
}

/** A part of which it is not certain that it is stored. */
export interface UnwrittenPart extends Omit<Unwritten, 'entry'> {
  readonly part: Part;
}

/** What became of parts: the names of the segments that are stored, and the others. */
export interface WrittenSegments {
  readonly written: ReadonlyMap<Part, SegmentId>;
  readonly unwritten: readonly UnwrittenPart[];
}

/** Writes parts of one retention; after the deadline nothing is tried again. Rejects never for a lost database. */
export type WriteSegments = (
  parts: readonly Part[],
  retentionDays: number,
  deadlineMs: number,
) => Promise<WrittenSegments>;

/**
 * Time for one attempt, in milliseconds. What is confirmed later after its stamp, as by a process that stood still, counts as
 * not written: who indexes the log may have passed it.
 */
const attemptMs = 3000;
const daySeconds = 86_400;

export function createSegmentWriter({ write, now, tableNow }: SegmentWriterOptions): WriteSegments {
  const writer = randomInt(36 ** writerLength)
    .toString(36)
    .padStart(writerLength, '0');
  const marks = new LogMarks();
  let sequence = 0;

  function nextId(level: number, stampMs: number): SegmentId {
    sequence = (sequence + 1) % sequences;
    return { level, stampMs, writer, sequence };
  }

  function entryOf({ messages, bytes }: Part, id: SegmentId, retentionDays: number): Entry {
    const newest = messages.reduce((a, b) => (a.time > b.time ? a : b));
    const expiresAt = Math.floor(Date.parse(newest.time) / 1000) + retentionDays * daySeconds;
    return entry(segmentItem(id, newest.topic, bytes, expiresAt));
  }

  /** Tries once, and adds to `written` what may be stored. Resolves with what is not certain to be. */
  async function attempt(
    parts: readonly Part[],
    retentionDays: number,
    written: Map<Part, SegmentId>,
  ): Promise<UnwrittenPart[]> {
    const stampMs = Math.floor(tableNow());
    const due = marks.due(parts, stampMs, retentionDays);
    const ids = new Map(parts.map((part) => [part, nextId(part.level, stampMs)]));
    const entries = new Map(
      Array.from(ids, ([part, id]) => [entryOf(part, id, retentionDays), part]),
    );
    const unwritten = await write([...due.items.map(entry), ...entries.keys()], {
      deadlineMs: Number.NEGATIVE_INFINITY,
      abortSignal: AbortSignal.timeout(attemptMs),
    });
    const lost = unwritten.find((one) => !entries.has(one.entry));
    // Without its marks no segment is found.
    if (lost !== undefined) return parts.map((part) => ({ ...lost, part }));
    due.written();
    if (tableNow() - stampMs > attemptMs)
      return parts.map((part) => ({ part, reason: tooLate, retryable: true, isUnprocessed: true }));
    for (const [part, id] of ids) written.set(part, id);
    return unwritten.map((one) => ({ ...one, part: entries.get(one.entry) as Part }));
  }

  return async (parts, retentionDays, deadlineMs) => {
    const failed: UnwrittenPart[] = [];
    const written = new Map<Part, SegmentId>();
    const resultOf = (unwritten: readonly UnwrittenPart[]) => {
      for (const { part } of unwritten) written.delete(part);
      return { written, unwritten };
    };
    let left = parts;
    for (let tries = 0; left.length > 0; tries++) {
      const unwritten = await attempt(left, retentionDays, written);
      const again = unwritten.filter(({ isUnprocessed }) => isUnprocessed === true);
      failed.push(...unwritten.filter(({ isUnprocessed }) => isUnprocessed !== true));
      const waitMs = fullJitterMs(tries, 50, 1600);
      if (again.length > 0 && now() + waitMs > deadlineMs) return resultOf([...failed, ...again]);
      left = again.map(({ part }) => part);
      if (left.length > 0) await delay(waitMs);
    }
    return resultOf(failed);
  };
}

const tooLate = 'the table took too long to confirm it';

/** An item that stands for no single message. */
function entry(item: Item): Entry {
  return { item, bytes: itemBytes(item), id: '' };
}
