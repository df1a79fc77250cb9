import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { Batcher, type Unfinished } from '../../../bridge/forwarding/batcher.ts';
import { until } from '../../support/wait.ts';

interface Numbered {
  readonly topic: string;
  readonly bytes: number;
  readonly number: number;
  readonly arrival: number;
}

let arrivals = 0;

const item = (topic: string, number = 0, bytes = 1): Numbered => ({
  topic,
  number,
  bytes,
  arrival: arrivals++,
});
const done: Unfinished<Numbered> = { retry: [], afterMs: 0 };

function batcherOf(
  send: (batch: readonly Numbered[]) => Promise<Unfinished<Numbered>>,
  { maxBatch = 10, maxBatchBytes = 1000, lingerMs = 0, limit = 4 } = {},
) {
  return new Batcher<Numbered>({ maxBatch, maxBatchBytes, lingerMs, limit: () => limit, send });
}

test('fills batches up to their most messages and bytes', async () => {
  const sizes: number[] = [];
  const batcher = batcherOf(
    async (batch) => {
      sizes.push(batch.length);
      return done;
    },
    { maxBatch: 4, maxBatchBytes: 100 },
  );
  for (let number = 0; number < 6; number++) batcher.add(item(`t${number}`, number));
  await batcher.drain();
  expect(sizes).toEqual([4, 2]);
  for (const bytes of [60, 60, 30, 500]) batcher.add(item(`b${bytes}-${Math.random()}`, 0, bytes));
  await batcher.drain();
  expect(sizes.slice(2)).toEqual([1, 2, 1]);
});

test('a clock that is set back keeps nothing from being sent', async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const sent: string[] = [];
  const batcher = batcherOf(async (batch) => {
    sent.push(...batch.map(({ topic }) => topic));
    return done;
  });
  batcher.hold(1000);
  batcher.add(item('a'));
  vi.setSystemTime(Date.now() - 3_600_000);
  await vi.advanceTimersByTimeAsync(1100);
  expect(sent).toEqual(['a']);
});

test('lingers for others, and not for a full batch', async () => {
  const sizes: number[] = [];
  const batcher = batcherOf(
    async (batch) => {
      sizes.push(batch.length);
      return done;
    },
    { lingerMs: 50, maxBatch: 3 },
  );
  batcher.add(item('a'));
  await delay(5);
  batcher.add(item('b'));
  expect(sizes).toEqual([]);
  await until(() => sizes.length === 1);
  expect(sizes).toEqual([2]);
  for (const topic of ['c', 'd', 'e']) batcher.add(item(topic));
  await new Promise((resolve) => setImmediate(resolve));
  expect(sizes).toEqual([2, 3]);
});

test('sends no more requests at once than the limit', async () => {
  let inFlight = 0;
  let most = 0;
  const batcher = batcherOf(
    async () => {
      most = Math.max(most, ++inFlight);
      await delay(2);
      inFlight--;
      return done;
    },
    { maxBatch: 1, limit: 3 },
  );
  for (let number = 0; number < 20; number++) batcher.add(item(`t${number}`));
  await batcher.drain();
  expect(most).toBe(3);
});

test('holds everything for the time it is told', async () => {
  let sent = 0;
  const batcher = batcherOf(async () => {
    sent++;
    return done;
  });
  batcher.hold(60);
  batcher.add(item('a'));
  await delay(20);
  expect(sent).toBe(0);
  await until(() => sent === 1);
});

describe('whatever the handler does,', () => {
  test('each topic stays in order, is never in two requests, and nothing is lost', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(4), { minLength: 1, maxLength: 60 }),
        fc.infiniteStream(fc.record({ wait: fc.nat(3), fail: fc.nat(5), after: fc.nat(4) })),
        fc.integer({ min: 1, max: 7 }),
        async (topics, behaviour, maxBatch) => {
          const finished = new Map<string, number[]>();
          const busy = new Set<string>();
          const batcher = batcherOf(
            async (batch) => {
              const { wait, fail, after } = behaviour.next().value as {
                wait: number;
                fail: number;
                after: number;
              };
              const here = new Set(batch.map(({ topic }) => topic));
              for (const topic of here) {
                expect(busy.has(topic)).toBe(false);
                busy.add(topic);
              }
              await delay(wait);
              // From the first failure of a topic on, all of that topic is to be sent again, as the route does.
              const failedAt = fail === 0 ? 0 : batch.length;
              const retry = batch.slice(failedAt);
              for (const { topic, number } of batch.slice(0, failedAt)) {
                finished.set(topic, [...(finished.get(topic) ?? []), number]);
              }
              for (const topic of here) busy.delete(topic);
              return { retry, afterMs: after };
            },
            { maxBatch },
          );
          for (const [number, topic] of topics.entries()) batcher.add(item(`t${topic}`, number));
          await batcher.drain();
          const expected = new Map<string, number[]>();
          for (const [number, topic] of topics.entries()) {
            expected.set(`t${topic}`, [...(expected.get(`t${topic}`) ?? []), number]);
          }
          expect(finished).toEqual(expected);
        },
      ),
      { numRuns: 60 },
    );
  });
});
