// A run of many blocks, read as a whole, by topics, and topic by topic from either end.
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  compareReferences,
  type Reference,
  referenceTo,
  segmentName,
} from '../../../functions/index-runs/reference.ts';
import type { Run } from '../../../functions/index-runs/run.ts';
import { referencesOf, TopicReader, topicsOf } from '../../../functions/index-runs/run-reader.ts';
import { writeRun } from '../../../functions/index-runs/run-writer.ts';
import { ReadBudget } from '../../../functions/table/read-budget.ts';
import { compareSortKeys } from '../../../functions/table/sort-keys.ts';
import { fc } from '../../support/property.ts';
import { startTable, type TestTable } from '../../support/table.ts';

const startMs = 1_900_000_000_000;
const expiresAtSeconds = 3_000_000_000;
/** Topics with many references, with one in between, and some that are not there. */
const counts: Record<string, number> = { a: 1, 'a/b': 9000, 'a/c': 1, b: 2500, 'b/x': 3, c: 6000 };
const absent = ['0', 'a/', 'a/bb', 'z'];

function referencesOfTopic(topic: string, count: number): Reference[] {
  return Array.from({ length: count }, (_, index) => {
    // Several of the same time, and some that reach far back.
    const lastMs = startMs + Math.floor(index / 3) * 1000;
    const firstMs = lastMs - (index % 50 === 0 ? 600_000 : index % 7);
    const stampMs = lastMs + ((index * 7919) % 1500);
    const id = { level: index % 2, stampMs, writer: 'writer', sequence: index };
    return referenceTo(id, { topic, count: 2, retentionDays: 30 }, firstMs, lastMs);
  });
}

const all = Object.entries(counts)
  .flatMap(([topic, count]) => referencesOfTopic(topic, count))
  .toSorted(compareReferences);

let table: TestTable;
let runs: Run[];

beforeAll(async () => {
  table = await startTable();
  runs = [];
  for (const level of [0, 1]) {
    const run = { id: `run-${level}`, level };
    runs.push(await writeRun(all, { ...table, run, expiresAtSeconds }));
  }
});
afterAll(() => table.close());

test('a run knows how far it reaches, and comes back whole', async () => {
  const [run] = runs as [Run];
  expect(run.references).toBe(all.length);
  expect(run.firstMs).toBe(Math.min(...all.map(({ firstMs }) => firstMs)));
  expect(run.lastMs).toBe(Math.max(...all.map(({ lastMs }) => lastMs)));
  const budget = new ReadBudget();
  const read: Reference[] = [];
  for await (const one of referencesOf({ ...table, budget }, run, startMs)) read.push(one);
  expect(read.map(nameOf)).toEqual(all.map(nameOf));
  const afterThirtyDays = startMs + 31 * 86_400_000;
  for await (const one of referencesOf(table, run, afterThirtyDays)) expect(one).toBeUndefined();
});

test('topics are told with the count of all and the newest, with a directory and without', async () => {
  const names = [...Object.keys(counts), ...absent];
  for (const run of runs)
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...names), fc.constantFrom(...names), async (low, high) => {
        const told: Record<string, number> = {};
        for await (const { topic, count, lastMs } of topicsOf(table, run, { low, high })) {
          told[topic] = count;
          const own = all.filter((one) => one.topic === topic);
          expect(lastMs).toBe(own.at(-1)?.lastMs);
        }
        const isIn = (topic: string) =>
          compareSortKeys(topic, low) >= 0 && compareSortKeys(topic, high) <= 0;
        const expected = Object.entries(counts).filter(([topic]) => isIn(topic));
        expect(told).toEqual(Object.fromEntries(expected.map(([t, count]) => [t, 2 * count])));
      }),
      { numRuns: 20 },
    );
});

const anyMs = fc.oneof(
  fc.integer({ min: -10_000, max: 3_010_000 }).map((ms) => startMs + ms),
  fc.constant(0),
  fc.constant(Number.MAX_SAFE_INTEGER),
);

test('a topic is read from either end, and what is unread is not before the bound', async () => {
  const [run] = runs as [Run];
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...Object.keys(counts), ...absent),
      fc.tuple(anyMs, anyMs),
      fc.boolean(),
      async (topic, times, newestFirst) => {
        const [fromMs, toMs] = times.toSorted((a, b) => a - b) as [number, number];
        const reader = new TopicReader(table, run, { topic, fromMs, toMs, newestFirst });
        const read: Reference[] = [];
        while (!reader.isDone) {
          const bound = reader.boundMs;
          const next = await reader.next();
          for (const { firstMs, lastMs } of next)
            if (newestFirst) expect(lastMs).toBeLessThanOrEqual(bound);
            else expect(firstMs).toBeGreaterThanOrEqual(bound);
          read.push(...next);
        }
        const expected = all.filter(
          (one) => one.topic === topic && one.lastMs >= fromMs && one.firstMs <= toMs,
        );
        expect(read.map(nameOf).toSorted()).toEqual(expected.map(nameOf).toSorted());
      },
    ),
    { numRuns: 80 },
  );
});

test('the newest of a topic are in one block, but of the last topic of a run', async () => {
  const [run] = runs as [Run];
  for (const topic of Object.keys(counts).slice(0, -1)) {
    const budget = new ReadBudget();
    const wanted = { topic, fromMs: 0, toMs: Number.MAX_SAFE_INTEGER, newestFirst: true };
    const reader = new TopicReader({ ...table, budget }, run, wanted);
    const newest = Math.max(...(await reader.next()).map(({ lastMs }) => lastMs));
    expect(newest).toBe(all.findLast((one) => one.topic === topic)?.lastMs);
    expect(budget.spent).toBe(0.5);
  }
});

function nameOf({ topic, id, lastMs }: Reference): string {
  return `${topic} ${lastMs} ${segmentName(id)}`;
}
