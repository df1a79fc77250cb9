// Whatever form messages are stored in, and however far the index is: what is read is what single items would have given.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createRemoveMessages } from '../../../functions/api/messages/removal.ts';
import type { Message } from '../../../functions/contract/message.ts';
import { matchesFilter } from '../../../functions/contract/topic.ts';
import { mergeRuns } from '../../../functions/index-runs/merge-runs.ts';
import { tick } from '../../../functions/index-runs/tick.ts';
import { createStoredMessages } from '../../../functions/reading/stored-messages.ts';
import type { Deletion } from '../../../functions/table/deletion.ts';
import { messageItem, messageOf, messageSortKey } from '../../../functions/table/item.ts';
import { knownTopicItem, knownTopicOf } from '../../../functions/table/known-topic.ts';
import { message } from '../../support/messages.ts';
import { fc } from '../../support/property.ts';
import { grouped, putItems, putSegments } from '../../support/segments.ts';
import { engines, startTable, type TestTable } from '../../support/table.ts';
import { deleteAll } from '../../support/table-items.ts';

const startMs = 1_900_000_000_000;
const topics = ['a', 'a/b', 'a/b/c', 'ab', 'a\u{ffee}', 'a\u{1f4a5}', 'z'];

/** What happens, one after the other: a request is stored, again, or in other pieces; time passes; the indexer runs. */
const anyEvent = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('put' as const),
      messages: fc.array(
        fc.record({
          topic: fc.constantFrom(...topics),
          /** Before now; some are late. */
          ageMs: fc.oneof(
            fc.integer({ min: 0, max: 3000 }),
            fc.integer({ min: 0, max: 20 * 3_600_000 }),
          ),
        }),
        { minLength: 1, maxLength: 12 },
      ),
      form: fc.constantFrom('single', 'packed', 'both', 'twice'),
      level: fc.integer({ min: 0, max: 2 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('wait' as const),
      ms: fc.oneof(fc.integer({ min: 0, max: 40_000 }), fc.integer({ min: 0, max: 3 * 3_600_000 })),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('tick' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('merge' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('delete' as const),
      topic: fc.constantFrom(...topics),
      fromAgeMs: fc.option(fc.integer({ min: 1, max: 24 * 3_600_000 })),
      toAgeMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 5000 })),
    }),
  },
);

for (const engine of engines) {
  describe.skipIf(!engine.available)(`on ${engine.name}`, () => {
    let table: TestTable;
    beforeAll(async () => {
      table = await startTable(engine);
    });
    afterAll(() => table.close());

    test('any requests, retries and ticks: pages and topics are those of single items', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(anyEvent, { minLength: 1, maxLength: 40 }),
          fc.tuple(fc.nat({ max: 20 * 3_600_000 }), fc.nat({ max: 20 * 3_600_000 })),
          async (events, agesMs) => {
            await deleteAll(table);
            let nowMs = startMs;
            const now = () => nowMs;
            const stored = new Map<string, Message>();
            const single: Message[] = [];
            const deletions: Deletion[] = [];
            const remove = createRemoveMessages({ ...table, writeShards: 1 });
            const indexing = { ...table, now };
            for (const event of events) {
              if (event.kind === 'wait') nowMs += event.ms;
              if (event.kind === 'tick') await tick(indexing);
              if (event.kind === 'merge') await mergeRuns({ ...indexing, runsOfLevel: 3 });
              if (event.kind === 'delete') {
                const { topic, fromAgeMs, toAgeMs } = event;
                const to = timeOf(nowMs - toAgeMs, 0);
                const from =
                  fromAgeMs === null ? undefined : timeOf(nowMs - fromAgeMs - toAgeMs, 0);
                deletions.push({ topic, from, to });
                await remove({ topic, from, to });
              }
              if (event.kind !== 'put') continue;
              const messages = event.messages.map(({ topic, ageMs }) =>
                message({ topic, time: timeOf(nowMs - ageMs, stored.size) }),
              );
              for (const one of messages) stored.set(`${one.topic} ${messageSortKey(one)}`, one);
              const { form, level } = event;
              if (form === 'single' || form === 'both') single.push(...messages);
              await put(messages, single, { form, level, stampMs: nowMs });
            }
            const { snapshot, ...live } = createStoredMessages({ ...table, now });
            for (const reading of [live, snapshot()]) {
              await expectAll(reading, { stored, deletions, nowMs, agesMs });
            }
          },
        ),
        { numRuns: engine.name === 'embedded' ? 25 : 3 },
      );
    });

    async function put(
      messages: Message[],
      single: Message[],
      { form, level, stampMs }: { form: string; level: number; stampMs: number },
    ) {
      const expiresAtSeconds = 2_500_000_000;
      if (form === 'single' || form === 'both')
        await putItems(table, [
          ...messages.map((one) => messageItem(one, { expiresAtSeconds })),
          ...topicItems(single),
        ]);
      if (form !== 'single') await putSegments(table, messages, { stampMs, level });
      if (form === 'twice')
        await putSegments(table, messages.slice(1), { stampMs: stampMs + 1, level: 1 });
    }

    async function expectAll(
      reading: Parameters<typeof read>[0],
      {
        stored,
        deletions,
        nowMs,
        agesMs: [one, other],
      }: {
        stored: Map<string, Message>;
        deletions: readonly Deletion[];
        nowMs: number;
        agesMs: readonly [number, number];
      },
    ) {
      const isDeleted = ({ topic, time }: Message) =>
        deletions.some(
          (given) => given.topic === topic && (given.from ?? '') <= time && time < given.to,
        );
      const all = [...stored.values()].filter((given) => !isDeleted(given));
      for (const topic of topics) {
        const keys = all
          .filter((given) => given.topic === topic)
          .map(messageSortKey)
          .toSorted();
        for (const newestFirst of [true, false]) {
          const ordered = newestFirst ? keys.toReversed() : keys;
          expect(await read(reading, topic, { low: '0', high: '9', newestFirst })).toEqual(ordered);
          const low = timeOf(nowMs - Math.max(one, other), 0);
          const high = timeOf(nowMs - Math.min(one, other), 0);
          const within = ordered.filter((key) => key >= low && key <= high);
          expect(await read(reading, topic, { low, high, newestFirst })).toEqual(within);
          const after = ordered[Math.floor(ordered.length / 2)];
          if (after !== undefined)
            expect(await read(reading, topic, { low: '0', high: '9', newestFirst, after })).toEqual(
              ordered.slice(ordered.indexOf(after) + 1),
            );
        }
      }
      for (const filter of ['#', 'a/#', 'a/+', 'z']) {
        const found: string[] = [];
        for await (const { item } of reading.topicSteps([filter], undefined, { maxQueries: 99 })) {
          const known = knownTopicOf(item ?? {});
          if (!matchesFilter(filter, known.topic)) continue;
          found.push(known.topic);
          if (deletions.some(({ topic }) => topic === known.topic)) continue;
          const times = all.filter(({ topic }) => topic === known.topic).map(({ time }) => time);
          const newest = times.toSorted().at(-1) ?? '';
          expect(known.lastSeen <= newest).toBe(true);
          expect(Date.parse(newest) - Date.parse(known.lastSeen)).toBeLessThan(50);
        }
        const expected = [...new Set(all.map(({ topic }) => topic))]
          .filter((topic) => matchesFilter(filter, topic))
          .toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
        // A topic of which all has been deleted may be known for a while.
        const wanted = new Set([...expected, ...deletions.map(({ topic }) => topic)]);
        expect(found).toEqual(expect.arrayContaining(expected));
        expect(found.filter((topic) => !wanted.has(topic))).toEqual([]);
        const inOrder = found.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
        expect(found).toEqual([...new Set(inOrder)]);
      }
      // What the look at the registry has found out leads to the newest.
      for (const topic of topics) {
        if (deletions.some((given) => given.topic === topic)) continue;
        const keys = all.filter((given) => given.topic === topic).map(messageSortKey);
        const range = { low: '0', high: '9', newestFirst: true };
        const [newest] = await read(reading, topic, range, 1);
        expect(newest).toBe(keys.toSorted().at(-1));
      }
    }
  });
}

async function read(
  reading: Pick<ReturnType<typeof createStoredMessages>, 'messageSteps' | 'topicSteps'>,
  topic: string,
  range: { low: string; high: string; newestFirst: boolean; after?: string },
  maxItems = Number.POSITIVE_INFINITY,
): Promise<string[]> {
  const keys: string[] = [];
  const bounds = { maxQueries: 99, firstItems: 3, maxItems };
  for await (const { item } of reading.messageSteps(topic, range, bounds))
    if (item !== undefined) keys.push(messageSortKey(messageOf(item)));
  return keys;
}

/** The registry as ingest keeps it for single messages. */
function topicItems(messages: readonly Message[]) {
  return [...grouped(messages, ({ topic }) => topic)].map(([topic, own]) => ({
    ...knownTopicItem({
      topic,
      lastSeen:
        own
          .map(({ time }) => time)
          .toSorted()
          .at(-1) ?? '',
      messages: own.length,
    }),
    expiresAt: { N: '2500000000' },
  }));
}

/** Microseconds tell apart what is of one millisecond. */
function timeOf(ms: number, micros: number): string {
  const micro = String(micros % 1000).padStart(3, '0');
  return new Date(ms).toISOString().replace('Z', `${micro}Z`);
}
