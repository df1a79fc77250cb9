import { describe, expect, test } from 'vitest';
import type { Part } from '../../../../functions/ingest/storing/packing.ts';
import type { Entry } from '../../../../functions/ingest/storing/plan.ts';
import { createSegmentWriter } from '../../../../functions/ingest/storing/segment-writer.ts';
import type { Unwritten, Write } from '../../../../functions/ingest/storing/writer.ts';
import { segmentIdOf } from '../../../../functions/segments/segment-key.ts';
import { textAt } from '../../../../functions/table/item.ts';
import { message } from '../../../support/messages.ts';

const part = (topic: string, level = 1): Part => ({
  level,
  messages: [message({ topic }), message({ topic })],
  bytes: Buffer.from(topic),
});

const isMark = ({ item }: Entry) => !/^s\d/.test(textAt(item, 'pk'));

const unprocessed = (entries: readonly Entry[]): Unwritten[] =>
  entries.map((entry) => ({ entry, reason: 'busy', retryable: true, isUnprocessed: true }));

/** Writes as `answers` say, one after the other, then all that comes; its clock moves by a second with each call. */
function rig(...answers: ((entries: readonly Entry[]) => readonly Unwritten[])[]) {
  const calls: Entry[][] = [];
  let nowMs = 1_800_000_000_000;
  const clock = { lateMs: 0 };
  const write: Write = async (entries) => {
    calls.push([...entries]);
    nowMs += 1000 + clock.lateMs;
    return [...(answers.shift()?.(entries) ?? [])];
  };
  const writeSegments = createSegmentWriter({ write, now: () => nowMs, tableNow: () => nowMs });
  return {
    calls,
    clock,
    async put(parts: readonly Part[], budgetMs = 10_000) {
      const { written, unwritten } = await writeSegments(parts, 30, nowMs + budgetMs);
      // Each part is one or the other, and what is written has the name that it was written with.
      expect(written.size + unwritten.length).toBe(parts.length);
      const names = calls
        .flat()
        .filter((entry) => !isMark(entry))
        .map(({ item }) => segmentIdOf(item));
      for (const id of written.values()) expect(names).toContainEqual(id);
      return unwritten;
    },
    segmentsOf: (call: number) =>
      (calls[call] ?? []).filter((entry) => !isMark(entry)).map(({ item }) => segmentIdOf(item)),
    marksOf: (call: number) => (calls[call] ?? []).filter(isMark).map(({ item }) => item),
  };
}

describe('segments', () => {
  test('are written with what leads to them, and that is not repeated soon', async () => {
    const { put, segmentsOf, marksOf } = rig();
    expect(await put([part('a'), part('b', 2)])).toEqual([]);
    expect(segmentsOf(0).map(({ level }) => level)).toEqual([1, 2]);
    expect(marksOf(0)).toHaveLength(3);
    await put([part('a')]);
    expect(marksOf(1)).toEqual([]);
    for (let calls = 2; calls < 31; calls++) await put([part('a')]);
    // The position of their source, after half a minute.
    expect(marksOf(30)).toHaveLength(1);
  });

  test('have names of their own, and expire with their newest message', async () => {
    const { put, calls, segmentsOf } = rig();
    await put([part('a'), part('a'), part('a')]);
    const names = segmentsOf(0).map(({ stampMs, writer, sequence }) =>
      [stampMs, writer, sequence].join(),
    );
    expect(new Set(names).size).toBe(3);
    const newest = part('a').messages.at(-1)?.time ?? '';
    const item = calls[0]?.find((entry) => !isMark(entry))?.item;
    expect(Number(item?.['expiresAt']?.N)).toBeLessThanOrEqual(
      Math.ceil(Date.parse(newest) / 1000) + 30 * 86_400,
    );
  });

  test('that the table is too busy for are written again, with a new stamp', async () => {
    const { put, segmentsOf, marksOf } = rig((entries) =>
      unprocessed(entries.filter((entry) => !isMark(entry)).slice(1)),
    );
    expect(await put([part('a'), part('b')])).toEqual([]);
    expect([segmentsOf(0).length, segmentsOf(1).length]).toEqual([2, 1]);
    expect(segmentsOf(1)[0]?.stampMs).toBeGreaterThan(segmentsOf(0)[1]?.stampMs ?? 0);
    expect(marksOf(1)).toEqual([]);
  });

  test('are all written again where a mark was not written', async () => {
    const { put, segmentsOf, marksOf } = rig((entries) =>
      unprocessed(entries.filter(isMark).slice(0, 1)),
    );
    expect(await put([part('a'), part('b')])).toEqual([]);
    expect([segmentsOf(1).length, marksOf(1).length]).toEqual([2, 2]);
  });

  test('that are confirmed long after their stamp are written again', async () => {
    const { put, segmentsOf, clock } = rig(() => {
      clock.lateMs = 0;
      return [];
    });
    clock.lateMs = 2500;
    expect(await put([part('a')])).toEqual([]);
    expect(segmentsOf(1)).toHaveLength(1);
  });

  test('are given up at the deadline', async () => {
    const { put } = rig(...Array.from({ length: 20 }, () => unprocessed));
    const only = part('a');
    expect(await put([only], 3000)).toMatchObject([{ part: only, retryable: true }]);
  });

  test('whose call fails are told at once, for another instance to try', async () => {
    const { put, calls } = rig((entries) =>
      entries
        .filter((entry) => !isMark(entry))
        .map((entry) => ({ entry, reason: 'TimeoutError', retryable: true })),
    );
    const only = part('a');
    expect(await put([only])).toMatchObject([{ part: only, reason: 'TimeoutError' }]);
    expect(calls).toHaveLength(1);
  });
});
