// The loop of the indexer, with a table that is lost and comes back.
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startIndexing } from '../../../bridge/indexing/indexing.ts';
import { readManifest } from '../../../functions/index-runs/manifest-table.ts';
import { lagMs } from '../../../functions/index-runs/tick.ts';
import { localClient } from '../../../infra/local/database.ts';
import { message } from '../../support/messages.ts';
import { putSegments } from '../../support/segments.ts';
import { startTable, type TestTable } from '../../support/table.ts';
import { until } from '../../support/wait.ts';

let table: TestTable;
beforeAll(async () => {
  table = await startTable();
});
afterAll(() => table.close());

const startMs = Date.now();
const log = pino({ level: 'silent' });

const references = async () =>
  (await readManifest(table, { consistent: true })).runs.reduce(
    (sum, run) => sum + run.references,
    0,
  );

test('it indexes what is there when it starts, and ends when it is drained', async () => {
  await putSegments(table, [message({ topic: 'a' }), message({ topic: 'b' })], {
    stampMs: startMs,
  });
  const acquired: string[] = [];
  const released: string[] = [];
  const indexing = startIndexing({
    source: table,
    acquire: async (name) => {
      acquired.push(name);
      const { signal } = new AbortController();
      return {
        lost: signal,
        recalled: signal,
        keep: () => {},
        release: async () => void released.push(name),
      };
    },
    now: () => startMs + lagMs,
    log,
  });
  await until(async () => (await references()) === 2);
  await indexing.drain(new AbortController().signal);
  expect([acquired, released]).toEqual([['indexing'], ['indexing']]);
});

test('who waits for another to stop tells no delay', async () => {
  const indexing = startIndexing({ source: table, acquire: () => new Promise(() => {}), log });
  expect(indexing.delayMs()).toBe(0);
  const ending = new AbortController();
  ending.abort();
  await indexing.drain(ending.signal);
});

test('a table that does not answer is waited for, and the delay grows', async () => {
  await putSegments(table, [message({ topic: 'c' })], { stampMs: startMs + 1 });
  const client = localClient(table.endpoint);
  let isLost = true;
  let nowMs = startMs + 1 + lagMs;
  client.middlewareStack.add(
    (next) => async (args) => {
      if (isLost) throw new Error('no answer');
      return next(args);
    },
    { step: 'initialize' },
  );
  const before = await references();
  const indexing = startIndexing({
    source: { ...table, client },
    acquire: undefined,
    log,
    now: () => nowMs,
  });
  await until(() => indexing.delayMs() === 0);
  nowMs += 100_000;
  expect(indexing.delayMs()).toBe(100_000);
  isLost = false;
  await until(async () => (await references()) > before);
  await until(() => indexing.delayMs() === lagMs);
  await indexing.drain(new AbortController().signal);
});
