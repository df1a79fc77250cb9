// The model of one connection: it comes out where it was measured, and keeps the rules of the bridge.
import { expect, test } from 'vitest';
import { calibratedBy, predictedDelays, predictedDrains } from '../../../infra/scale/measured.ts';
import { benchRun, runTask, type TaskShape } from '../../../infra/scale/task-model.ts';
import { fc } from '../../support/property.ts';

const offBy = (model: number, measured: number) => Math.abs(model / measured - 1);

test('two measured points give its constants', () => {
  for (const { messagesPerSecond, ...point } of calibratedBy)
    expect(offBy(benchRun(point).messagesPerSecond, messagesPerSecond)).toBeLessThan(0.03);
});

test('the other points come out within 15 %', () => {
  for (const { messagesPerSecond, ...point } of predictedDrains)
    expect(offBy(benchRun(point).messagesPerSecond, messagesPerSecond)).toBeLessThan(0.15);
  for (const { p50Ms, p99Ms, ...point } of predictedDelays) {
    const run = benchRun(point);
    expect(offBy(run.messagesPerSecond, point.messagesPerSecond)).toBeLessThan(0.02);
    expect(offBy(run.p50Ms, p50Ms)).toBeLessThan(0.15);
    // Pauses of the machine are not in it.
    expect(run.p99Ms).toBeLessThan(p99Ms);
  }
});

const shape: TaskShape = {
  ...{ maxBatch: 100, lingerMs: 5, concurrency: 4, window: 1000, cores: 1, brokerMs: 1 },
  ...{ messageMicros: 10, requestMicros: 50 },
  requestMs: () => 20,
};

test('each part bounds it where that part is the narrow one', () => {
  const drain = (change: Partial<TaskShape>, topics = 1000) =>
    runTask({ ...shape, ...change }, { messages: 20_000, topicOf: (n) => n % topics })
      .messagesPerSecond;
  // 100 µs a message.
  expect(
    offBy(drain({ messageMicros: 100, window: 50_000, concurrency: 50 }), 10_000),
  ).toBeLessThan(0.1);
  // A window of 10 for each 21 ms.
  expect(offBy(drain({ window: 10, messageMicros: 0, requestMicros: 0 }), 476)).toBeLessThan(0.1);
  // Four requests of 100 for each 20 ms.
  expect(drain({ window: 50_000, messageMicros: 0, requestMicros: 0 })).toBeLessThan(20_500);
  // One topic has one request in flight, and all of it where nobody else is there.
  expect(
    offBy(drain({ window: 50_000, messageMicros: 0, requestMicros: 0 }, 1), 5000),
  ).toBeLessThan(0.1);
});

test('whatever the numbers: all messages are through, and the same seed gives the same', () => {
  fc.assert(
    fc.property(
      fc.record({
        maxBatch: fc.integer({ min: 1, max: 50 }),
        concurrency: fc.integer({ min: 1, max: 8 }),
        window: fc.integer({ min: 1, max: 300 }),
        topics: fc.integer({ min: 1, max: 30 }),
        rate: fc.integer({ min: 100, max: 100_000 }),
        seed: fc.nat(),
      }),
      ({ topics, rate, seed, ...change }) => {
        const run = () =>
          runTask(
            { ...shape, ...change, requestMs: (_, random) => 20 * random() },
            {
              messages: 500,
              messagesPerSecond: rate,
              topicOf: (_, random) => Math.floor(random() * topics),
            },
            seed,
          );
        const found = run();
        expect(found.maxInFlight).toBeLessThanOrEqual(change.concurrency);
        expect(found.batch).toBeLessThanOrEqual(change.maxBatch);
        expect(found.p99Ms).toBeGreaterThanOrEqual(found.p50Ms);
        expect(run()).toEqual(found);
      },
    ),
  );
});
