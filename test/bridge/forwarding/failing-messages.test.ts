// The forwarder and a handler that some messages bring down, that is away at times, or both.

import { describe, expect, onTestFinished, test } from 'vitest';
import type { Message } from '../../../functions/contract/message.ts';
import { message } from '../../support/messages.ts';
import { fc } from '../../support/property.ts';
import { down, type Script, type SeenCall, taken } from '../../support/scripted-sink.ts';
import { until } from '../../support/wait.ts';
import { expectOrder, isPoison, many, start, tries } from './scripted-forwarder.ts';

const failsOn = (messages: readonly Message[]) => (messages.some(isPoison) ? down : taken);
const idsOf = (messages: readonly Message[]) => messages.map(({ id }) => id);

/** How often a message failed with a success of others between each two times, and how often by itself. */
function evidenceAgainst(id: string, calls: readonly SeenCall[]) {
  let counted = 0;
  let alone = 0;
  let hasServed = true;
  for (const { messages, verdict } of calls) {
    if (verdict.kind === 'answered') hasServed = true;
    else if (messages.some((one) => one.id === id)) {
      if (hasServed) counted++;
      if (messages.length === 1) alone++;
      hasServed = false;
    }
  }
  return { counted, alone };
}

describe('a message that makes the handler answer 500', () => {
  test.each([
    ['in a full batch', { maxBatch: 100 }, many(300, 60, [150])],
    ['first of all', { maxBatch: 100 }, many(300, 60, [0])],
    ['one request a message', { maxBatch: 1 }, many(40, 40, [7])],
    [
      'with as few others as speak for the handler',
      { maxBatch: 1 },
      many(tries + 4, tries + 4, [0]),
    ],
    ['in a window of twenty', { maxBatch: 500 }, many(20, 20, [0])],
    ['among others of its kind', { maxBatch: 50 }, many(200, 40, [3, 4, 90])],
    ['in a slow row', { maxBatch: 20, concurrency: 1 }, many(100, 25, [50])],
  ])('%s: it is quarantined, the others are stored in order', async (_, route, messages) => {
    const { sink, letters, settled, add, stop } = start(failsOn, route);
    onTestFinished(stop);
    add(messages);
    await until(() => settled.length === messages.length);
    const poison = messages.filter(isPoison);
    expect(new Set(letters.map((letter) => letter.message.id))).toEqual(new Set(idsOf(poison)));
    expect(letters[0]?.reason).toBe('the handler answered 500, while other messages are taken');
    expect(sink.stored).toHaveLength(messages.length - poison.length);
    expectOrder(messages, sink);
    for (const { id } of poison) {
      const { counted, alone } = evidenceAgainst(id, sink.calls);
      expect(Math.min(counted, alone)).toBeGreaterThanOrEqual(tries);
    }
  });

  test('by itself: nobody speaks for the handler, and it is kept for ever', async () => {
    const { sink, letters, add, stop, forwarder } = start(failsOn);
    onTestFinished(stop);
    add(many(3, 1, [0]));
    await until(() => sink.calls.length > 10 * tries);
    expect([letters, sink.stored]).toEqual([[], []]);
    expect(forwarder.holding).toBe('the handler answered 500');
    // The first other message that comes is enough of a start.
    add(many(tries, tries).map((one) => ({ ...one, topic: `other/${one.topic}` })));
    await until(() => letters.length === 1);
  });

  test('not before its time: it waits, and the others flow without a hold', async () => {
    const { sink, letters, add, stop, forwarder } = start(failsOn, {
      failingMessage: { tries, afterSeconds: 3600 },
    });
    onTestFinished(stop);
    const [poison, ...others] = many(200, 200, [0]);
    if (poison === undefined) return;
    add([poison, ...others]);
    const aloneNow = () => evidenceAgainst(poison.id, sink.calls).alone;
    await until(() => sink.stored.length === others.length && aloneNow() > 2 * tries);
    const later = many(50, 50).map((one) => ({ ...one, topic: `later/${one.topic}` }));
    const before = sink.calls.length;
    add(later);
    await until(() => sink.stored.length === others.length + later.length);
    expect([letters, forwarder.holding]).toEqual([[], undefined]);
    const failures = sink.calls.slice(before).filter(({ verdict }) => verdict.kind !== 'answered');
    expect(failures.every(({ messages }) => messages.length === 1)).toBe(true);
  });

  test('and then the next of its topic goes', async () => {
    const { settled, letters, sink, add, stop } = start(failsOn);
    onTestFinished(stop);
    const given = [
      ...many(4, 1, [1]),
      ...many(30, 30).map((one) => ({ ...one, topic: `x${one.topic}` })),
    ];
    add(given);
    await until(() => settled.length === given.length);
    expect(letters.map((letter) => letter.message.id)).toEqual([given[1]?.id]);
    expectOrder(given, sink);
  });
});

test('whatever else fails, and however the handler comes and goes, only the law quarantines', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        health: fc.array(fc.constantFrom('up' as const, 'down' as const, 'flaps' as const), {
          minLength: 1,
          maxLength: 12,
        }),
        poisonAt: fc.array(fc.nat({ max: 59 }), { maxLength: 3 }),
        maxBatch: fc.constantFrom(1, 7, 50),
        concurrency: fc.integer({ min: 1, max: 4 }),
        topics: fc.constantFrom(5, 20, 60),
        coins: fc.infiniteStream(fc.boolean()),
      }),
      async ({ health, poisonAt, maxBatch, concurrency, topics, coins }) => {
        let requests = 0;
        const script: Script = async (messages) => {
          const weather = health[Math.floor(requests++ / 6)] ?? 'up';
          await new Promise(setImmediate);
          if (weather === 'down') return down;
          if (weather === 'flaps' && coins.next().value === true) return down;
          return failsOn(messages);
        };
        const { sink, letters, settled, add, stop } = start(script, { maxBatch, concurrency });
        const messages = many(60, topics, poisonAt);
        add(messages);
        // Others keep coming: somebody always speaks for a handler that is well.
        let more = 0;
        await until(() => {
          if (more < 400) add([message({ topic: `more/${more++}`, text: 'fine' })]);
          return messages.every(({ id }) => settled.includes(id));
        });
        await stop();
        for (const letter of letters) {
          const { counted, alone } = evidenceAgainst(letter.message.id, sink.calls);
          expect(Math.min(counted, alone)).toBeGreaterThanOrEqual(tries);
        }
        const lost = messages.filter(
          ({ id }) =>
            !sink.stored.some((one) => one.id === id) &&
            !letters.some((letter) => letter.message.id === id),
        );
        expect(lost).toEqual([]);
        expectOrder(messages, sink);
      },
    ),
    { numRuns: 25 },
  );
});

test('an outage, however long: nothing is quarantined, and the handler gets one message at a time', async () => {
  let isAway = true;
  const { sink, letters, settled, add, stop } = start(() => (isAway ? down : taken), {
    maxBatch: 50,
  });
  onTestFinished(stop);
  const messages = many(400, 30);
  add(messages);
  await until(() => sink.calls.length > 60);
  const sizes = sink.calls.slice(10).map((call) => call.messages.length);
  expect(Math.max(...sizes)).toBe(1);
  isAway = false;
  await until(() => settled.length === messages.length);
  expect(letters).toEqual([]);
  expectOrder(messages, sink);
});

test('Retry-After is obeyed, for as long as the route allows', async () => {
  const waits: number[] = [];
  let lastMs = Date.now();
  const busy = { ...down, suspicious: undefined, retryAfterMs: 60_000 } as never;
  const script: Script = () => {
    waits.push(Date.now() - lastMs);
    lastMs = Date.now();
    return waits.length < 3 ? busy : taken;
  };
  const { settled, add, stop } = start(script, {
    retry: { baseMs: 1, capMs: 1, maxRetryAfterMs: 100 },
  });
  onTestFinished(stop);
  add(many(3, 3));
  await until(() => settled.length === 3);
  // Timers may fire a millisecond early.
  for (const waitedMs of waits.slice(1, 3)) expect(waitedMs).toBeGreaterThanOrEqual(98);
});
