// The same requests, stored by ingest in either form: pages, topics and the latest are the same, whatever is sent again, in
// whichever composition, and wherever the index is.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createReader } from '../../../functions/api/messages/reader.ts';
import type { Message } from '../../../functions/contract/message.ts';
import { storageForms } from '../../../functions/contract/storage-form.ts';
import { mergeRuns } from '../../../functions/index-runs/merge-runs.ts';
import { lagMs, tick } from '../../../functions/index-runs/tick.ts';
import { createStore } from '../../../functions/ingest/storing/message-store.ts';
import { ReadBudget } from '../../../functions/table/read-budget.ts';
import { message } from '../../support/messages.ts';
import { fc } from '../../support/property.ts';
import { startTable, type TestTable } from '../../support/table.ts';
import { deleteAll } from '../../support/table-items.ts';

const startMs = Date.UTC(2030, 0, 1);
const topics = ['a', 'a/b', 'b', 'b/c/d', 'lamp'];

let tables: Record<(typeof storageForms)[number], TestTable>;
beforeAll(async () => {
  tables = { items: await startTable(), packed: await startTable() };
});
afterAll(() => Promise.all(Object.values(tables).map((table) => table.close())));

const anyEvent = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('put' as const),
      topics: fc.array(fc.constantFrom(...topics), { minLength: 1, maxLength: 30 }),
      payloadBytes: fc.constantFrom(0, 20, 300, 40_000),
      /** By so much the clock that stamps messages was set back. */
      backMs: fc.constantFrom(0, 0, 0, 120_000),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('again' as const),
      /** Which of all that has been sent: a part of it, in another request. */
      from: fc.nat({ max: 40 }),
      count: fc.integer({ min: 1, max: 20 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('tick' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('merge' as const) }) },
);

test('whatever is stored and sent again, both forms answer alike', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyEvent, { minLength: 1, maxLength: 25 }), async (events) => {
      let nowMs = startMs;
      const now = () => nowMs;
      const stores = await Promise.all(
        storageForms.map(async (storage) => {
          await deleteAll(tables[storage]);
          const { client, tableName } = tables[storage];
          const { put } = createStore({ client, tableName, retentionDays: 3650, now });
          return (messages: readonly Message[]) => put(messages, { storage });
        }),
      );
      const putAll = async (messages: readonly Message[]) => {
        for (const put of stores) expect(await put(messages)).toEqual([]);
        nowMs += 10;
      };
      const sent: Message[] = [];
      let stampMs = startMs;
      let receivedAfter: string | undefined;
      for (const event of events) {
        nowMs += 1000;
        stampMs += 1000;
        if (event.kind === 'tick') {
          nowMs += lagMs;
          await tick({ ...tables.packed, now });
        } else if (event.kind === 'merge') {
          await mergeRuns({ ...tables.packed, now, runsOfLevel: 2 });
        } else if (event.kind === 'again') {
          const again = sent.slice(event.from, event.from + event.count);
          if (again.length > 0) await putAll(again);
        } else {
          if (event.backMs > 0 && sent.length > 0) {
            receivedAfter = timeOf(stampMs);
            stampMs -= event.backMs;
          }
          if (receivedAfter !== undefined && timeOf(stampMs) > receivedAfter)
            receivedAfter = undefined;
          const messages = event.topics.map((topic) => {
            stampMs += 5;
            const text = 'x'.repeat(event.payloadBytes);
            const time = timeOf(stampMs);
            return message({ topic, text, time, ...(receivedAfter && { receivedAfter }) });
          });
          sent.push(...messages);
          await putAll(messages);
        }
      }
      nowMs += 1000;
      expect(await answers(tables.packed, now)).toEqual(await answers(tables.items, now));
    }),
    { numRuns: 12 },
  );
});

async function answers(table: TestTable, now: () => number) {
  const reader = createReader({ ...table, now });
  const pages: Record<string, Message[]> = {};
  for (const topic of topics)
    for (const order of ['newest', 'oldest'] as const) {
      const name = `${topic} ${order}`;
      pages[name] = [];
      let after: string | undefined;
      do {
        const selection = { topic, order, limit: 7, budget: new ReadBudget() };
        const page = await reader.messages(selection, after);
        pages[name].push(...page.entries.map(comparable));
        after = page.next;
      } while (after !== undefined);
    }
  const all = { filters: ['#'], limit: 3, isVisible: () => true };
  const known: string[] = [];
  const latest: Message[] = [];
  for (let after: string | undefined, isFirst = true; isFirst || after !== undefined; ) {
    const page = await reader.topics({ ...all, budget: new ReadBudget() }, after);
    known.push(...page.entries.map(({ topic }) => topic));
    after = page.next;
    isFirst = false;
  }
  for (let after: string | undefined, isFirst = true; isFirst || after !== undefined; ) {
    const page = await reader.latest({ ...all, budget: new ReadBudget() }, after);
    latest.push(...page.entries.map(comparable));
    after = page.next;
    isFirst = false;
  }
  return { pages, known, latest };
}

/** A Buffer and a Uint8Array of the same bytes are the same payload. */
function comparable(given: Message): Message {
  return { ...given, payload: Buffer.from(given.payload) };
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z');
}
