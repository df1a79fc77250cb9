// Pages of a packed topic while it is written to, indexed and merged: each message once, from either end; and a replay of it.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { messageEntries } from '../../../bridge/replays/sources.ts';
import { createReader } from '../../../functions/api/messages/reader.ts';
import type { Message } from '../../../functions/contract/message.ts';
import { mergeRuns } from '../../../functions/index-runs/merge-runs.ts';
import { lagMs, tick } from '../../../functions/index-runs/tick.ts';
import { createStoredMessages } from '../../../functions/reading/stored-messages.ts';
import { ReadBudget } from '../../../functions/table/read-budget.ts';
import { message } from '../../support/messages.ts';
import { putSegments } from '../../support/segments.ts';
import { startTable, type TestTable } from '../../support/table.ts';
import { deleteAll } from '../../support/table-items.ts';

const startMs = 1_900_000_000_000;
const inAll = 1200;

let table: TestTable;
beforeAll(async () => {
  table = await startTable();
});
afterAll(() => table.close());

let nowMs = startMs;
let count = 0;
beforeEach(async () => {
  await deleteAll(table);
  nowMs = startMs;
  count = 0;
});
const options = () => ({ ...table, now: () => nowMs, runsOfLevel: 4 });

/** Ten messages of the topic among others, a second apart; now and then the index grows. */
async function write(requests: number): Promise<void> {
  for (let request = 0; request < requests; request++) {
    const messages: Message[] = [];
    for (let index = 0; index < 10; index++) {
      nowMs += 1000;
      const time = new Date(nowMs).toISOString().replace('Z', '000Z');
      messages.push(message({ topic: 'lamp', time, text: String(count++) }));
      if (index % 3 === 0) messages.push(message({ topic: `lamp/${index}`, time }));
    }
    await putSegments(table, messages, { stampMs: nowMs, level: request % 2 });
    if (request % 3 === 0) await tick(options());
    if (request % 5 === 0) await mergeRuns(options());
  }
}

async function walk(order: 'newest' | 'oldest'): Promise<{ numbers: number[]; pages: number[] }> {
  const reader = createReader({ ...table, now: () => nowMs });
  const numbers: number[] = [];
  const pages: number[] = [];
  let after: string | undefined;
  do {
    const budget = new ReadBudget();
    const page = await reader.messages({ topic: 'lamp', order, limit: 100, budget }, after);
    numbers.push(...page.entries.map(({ payload }) => Number(Buffer.from(payload).toString())));
    pages.push(budget.spent);
    after = page.next;
    await write(2);
  } while (after !== undefined && numbers.length < 3 * inAll);
  return { numbers, pages };
}

const upTo = (end: number) => Array.from({ length: end }, (_, index) => index);

test('from the newest back: what was there when the walk began, each once', async () => {
  await write(inAll / 10);
  const { numbers, pages } = await walk('newest');
  expect(numbers).toEqual(upTo(inAll).toReversed());
  // Ten segments of ten make a page; runs, the tail and what says which there are come on top.
  expect(Math.max(...pages)).toBeLessThan(30);
});

test('from the oldest on: also what is written meanwhile', async () => {
  await write(inAll / 10);
  const { numbers } = await walk('oldest');
  expect(numbers.length).toBeGreaterThan(inAll);
  expect(numbers).toEqual(upTo(numbers.length));
});

test('a replay goes through all of it, topic by topic in order, and on from any place', async () => {
  await write(20);
  nowMs += lagMs;
  const request = {
    source: 'messages' as const,
    filter: 'lamp/#',
    messagesPerSecond: 1000,
    dryRun: false,
  };
  const entriesAfter = async (after?: { topic?: string; key?: string }) => {
    const found: { topic: string; key: string }[] = [];
    const entries = messageEntries(createStoredMessages({ ...table, now: () => nowMs }));
    for await (const { position, read } of entries(request, after)) {
      const got = await read();
      expect(got).toMatchObject({ kind: 'read', value: { topic: position.topic } });
      found.push({ topic: position.topic ?? '', key: position.key ?? '' });
    }
    return found;
  };
  const all = await entriesAfter();
  expect(all).toHaveLength(20 * 14);
  expect(all.map(({ topic }) => topic)).toEqual(all.map(({ topic }) => topic).toSorted());
  for (const place of [0, 150, 215, 279])
    expect(await entriesAfter(all[place])).toEqual(all.slice(place + 1));
});
