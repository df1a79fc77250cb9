import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { Batcher, type Unfinished } from '../../../bridge/forwarding/batcher.ts';
import { fc } from '../../support/property.ts';
import { until } from '../../support/wait.ts';

interface Numbered {
  readonly topic: string;
  readonly bytes: number;
  readonly number: number;
  readonly arrivedMs: number;
}

const item = (topic: string, number = 0, bytes = 1): Numbered => ({
  topic,
  number,
  bytes,
  arrivedMs: performance.now(),
});
const done: Unfinished<Numbered> = { retry: [], afterMs: 0 };

function batcherOf(
  send: (batch: readonly Numbered[]) => Promise<Unfinished<Numbered>>,
  {
    maxBatch = 10,
    maxBatchBytes = 1000,
    lingerMs = 0,
    limit = 4,
    isStalled = (): boolean => false,
  } = {},
) {
  return new Batcher<Numbered>({
    maxBatch,
    maxBatchBytes,
    lingerMs: () => lingerMs,
    isStalled,
    limit: () => limit,
    send,
  });
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

test('without a linger a message waits for no timer, and those of one turn share a request', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const sent: string[][] = [];
  const batcher = batcherOf(async (batch) => {
    sent.push(batch.map(({ topic }) => topic));
    return done;
  });
  for (const topic of ['a', 'b']) batcher.add(item(topic));
  await new Promise((resolve) => setImmediate(resolve));
  expect(sent).toEqual([['a', 'b']]);
});

test('a backlog of many topics leaves with the oldest messages first, as many of each as fill all requests', async () => {
  const batches: number[][] = [];
  const batcher = batcherOf(
    async (batch) => {
      batches.push(batch.map(({ number }) => number));
      return new Promise(() => {});
    },
    { maxBatch: 16, limit: 2 },
  );
  // Four of each of 16 topics, in turn.
  for (let number = 0; number < 64; number++) {
    const topic = `t${number % 16}`;
    batcher.add({ topic, number, bytes: 1, arrivedMs: number });
  }
  await until(() => batches.length === 2);
  expect(batches.map((batch) => batch.sort((a, b) => a - b))).toEqual([
    [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23],
    [8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31],
  ]);
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

describe('with a clock of its own,', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('it lingers for others, and not for a full batch', async () => {
    const sizes: number[] = [];
    const batcher = batcherOf(
      async (batch) => {
        sizes.push(batch.length);
        return done;
      },
      { lingerMs: 50, maxBatch: 3 },
    );
    batcher.add(item('a'));
    await vi.advanceTimersByTimeAsync(5);
    batcher.add(item('b'));
    await vi.advanceTimersByTimeAsync(44);
    expect(sizes).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(sizes).toEqual([2]);
    for (const topic of ['c', 'd', 'e']) batcher.add(item(topic));
    await vi.advanceTimersByTimeAsync(1);
    expect(sizes).toEqual([2, 3]);
  });

  /** Sizes of the batches that leave while a message comes every `everyMs`, each of its own topic. */
  async function sizesOf(
    { count, everyMs, handlerMs }: { count: number; everyMs: number; handlerMs: number },
    options: Parameters<typeof batcherOf>[1],
  ) {
    const sizes: number[] = [];
    const waitedMs: number[] = [];
    const batcher = batcherOf(async (batch) => {
      sizes.push(batch.length);
      waitedMs.push(performance.now() - (batch[0]?.arrivedMs ?? 0));
      await delayed(handlerMs);
      return done;
    }, options);
    for (let number = 0; number < count; number++) {
      batcher.add(item(`t${number}`, number));
      await vi.advanceTimersByTimeAsync(everyMs);
    }
    void batcher.drain();
    await vi.advanceTimersByTimeAsync(handlerMs + 10);
    return { sizes, waitedMs };
  }
  const delayed = (ms: number) => new Promise((resolve) => void setTimeout(resolve, ms));

  test('a batch that is not full leaves when its first message has waited, not when an answer comes', async () => {
    const { sizes } = await sizesOf(
      { count: 800, everyMs: 10, handlerMs: 25 },
      { lingerMs: 1000, maxBatch: 500 },
    );
    expect(sizes.length).toBeLessThanOrEqual(9);
    expect(sizes[0]).toBeGreaterThanOrEqual(99);
  });

  test('by default no message waits for longer than 5 ms while a request is free', async () => {
    const { waitedMs } = await sizesOf(
      { count: 400, everyMs: 7, handlerMs: 20 },
      { lingerMs: 5, maxBatch: 500 },
    );
    expect(Math.max(...waitedMs)).toBeLessThanOrEqual(5);
  });

  test('a batch that is full by its bytes does not wait', async () => {
    const sizes: number[] = [];
    const batcher = batcherOf(
      async (batch) => {
        sizes.push(batch.length);
        return done;
      },
      { lingerMs: 1000, maxBatch: 500, maxBatchBytes: 100 },
    );
    for (let number = 0; number < 5; number++) batcher.add(item(`t${number}`, number, 40));
    await vi.advanceTimersByTimeAsync(1);
    expect(sizes).toEqual([2, 2]);
    await vi.advanceTimersByTimeAsync(1000);
    expect(sizes).toEqual([2, 2, 1]);
  });

  test('nothing waits for others while none can come', async () => {
    const sizes: number[] = [];
    let isStalled = false;
    const batcher = batcherOf(
      async (batch) => {
        sizes.push(batch.length);
        await delayed(100);
        return done;
      },
      { lingerMs: 1000, limit: 1, isStalled: () => isStalled },
    );
    for (const topic of ['a', 'b']) batcher.add(item(topic));
    await vi.advanceTimersByTimeAsync(50);
    expect(sizes).toEqual([]);
    isStalled = true;
    batcher.stalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(sizes).toEqual([2]);
    batcher.add(item('c'));
    await vi.advanceTimersByTimeAsync(99);
    expect(sizes).toEqual([2, 1]);
  });
});

describe('what one message costs does not grow', () => {
  /** How often the batcher asks when a message arrived, for each message. */
  async function looksPerMessage(lanes: number): Promise<number> {
    let looks = 0;
    const batcher = batcherOf(() => new Promise((resolve) => setImmediate(resolve, done)), {
      maxBatch: 1,
    });
    const count = 32_000;
    for (let number = 0; number < count; number++) {
      batcher.add({
        topic: `t${number % lanes}`,
        number,
        bytes: 1,
        get arrivedMs() {
          looks++;
          return number;
        },
      });
    }
    await batcher.drain();
    return looks / count;
  }

  test('with the lanes that are ready: they are not all looked at for each request', async () => {
    expect(await looksPerMessage(32_000)).toBeLessThan(3 * (await looksPerMessage(1000)));
  });

  /** CPU for a message that is one of so many of a topic. */
  async function cpuPerMessage(count: number): Promise<number> {
    const batcher = batcherOf(() => Promise.resolve(done), { maxBatch: 1 });
    const before = process.cpuUsage();
    for (let number = 0; number < count; number++) batcher.add(item('t', number));
    await batcher.drain();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / count;
  }

  test('with the messages of a topic that wait: they are not moved for each request', async () => {
    const leastOf = async (count: number) =>
      Math.min(await cpuPerMessage(count), await cpuPerMessage(count), await cpuPerMessage(count));
    await cpuPerMessage(2000);
    // Moved, they cost 30 times as much.
    expect(await leastOf(60_000)).toBeLessThan(6 * (await leastOf(2000)));
  });
});

test('while others are ready, a topic gets a quarter of a request; what they do not need is its own', async () => {
  const batches: string[] = [];
  const batcher = batcherOf(
    async (batch) => {
      batches.push(batch.map(({ topic }) => topic).join(''));
      return done;
    },
    { maxBatch: 8, maxBatchBytes: 100, lingerMs: 10 },
  );
  for (let number = 0; number < 7; number++) batcher.add(item('h', number));
  for (const topic of ['a', 'b', 'c', 'd', 'e', 'f']) batcher.add(item(topic));
  await batcher.drain();
  expect(batches).toEqual(['hhabcdef', 'hhhhh']);
  batches.length = 0;
  for (let number = 0; number < 4; number++) batcher.add(item('h', number, 20));
  for (const topic of ['a', 'b']) batcher.add(item(topic, 0, 20));
  await batcher.drain();
  expect(batches).toEqual(['hhabh', 'h']);
});

test('tells what each topic has waiting and in flight', async () => {
  let answer = () => {};
  const batcher = batcherOf(
    (batch) =>
      new Promise((resolve) => {
        answer = () => resolve({ retry: batch.slice(1), afterMs: 0 });
      }),
    { maxBatch: 2, limit: 1 },
  );
  for (let number = 0; number < 3; number++) batcher.add(item('a', number, 10));
  await until(() => batcher.inFlight === 1);
  expect(batcher.held()).toEqual([{ topic: 'a', messages: 3, bytes: 30 }]);
  answer();
  await until(() => batcher.held()[0]?.messages === 2);
  answer();
  await until(() => batcher.held()[0]?.messages === 1);
  answer();
  await batcher.drain();
  expect(batcher.held()).toEqual([]);
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

test('what waits for another try, and what is held, goes at once when somebody asks for it', async () => {
  const sent: string[][] = [];
  const hour = 3_600_000;
  let answer = (batch: readonly Numbered[]): Unfinished<Numbered> => ({
    retry: batch,
    afterMs: hour,
  });
  const batcher = batcherOf(async (batch) => {
    sent.push(batch.map(({ topic, number }) => `${topic}${number}`));
    return answer(batch);
  });
  batcher.add(item('a', 0));
  batcher.add(item('a', 1));
  await until(() => sent.length === 1 && batcher.inFlight === 0);
  batcher.hold(hour);
  batcher.add(item('b', 0));
  answer = () => done;
  batcher.retryNow();
  await until(() => sent.flat().length === 5);
  expect(sent.flat().filter((name) => name.startsWith('a'))).toEqual(['a0', 'a1', 'a0', 'a1']);
  expect(sent.flat()).toContain('b0');
  batcher.discard();
});
