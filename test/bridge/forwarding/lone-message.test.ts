// A message that the handler fails on where no other comes that could speak for the handler: brokers that wait for all
// acknowledgements, and routes of one topic.
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Verdict } from '../../../bridge/handler/verdict.ts';
import type { Message } from '../../../functions/contract/message.ts';
import { message } from '../../support/messages.ts';
import { down, taken } from '../../support/scripted-sink.ts';
import { until } from '../../support/wait.ts';
import { expectOrder, isPoison, many, start, tries } from './scripted-forwarder.ts';

const own: Verdict = { ...down, own: true };
const failsOn = (messages: readonly Message[]) => (messages.some(isPoison) ? own : taken);

describe('to our own ingest', () => {
  test.each([
    ['the only message', many(1, 1, [0]), 1],
    ['the first of the only topic', many(50, 1, [0]), 1],
    ['in the midst of the only topic', many(50, 1, [25, 26]), 2],
  ])('%s: an empty batch speaks for the handler', async (_, messages, poison) => {
    const { sink, letters, settled, add, stop } = start(failsOn, { ingest: true });
    onTestFinished(stop);
    add(messages);
    await until(() => settled.length === messages.length);
    expect(letters.map((letter) => letter.message.id)).toEqual(
      messages.filter(isPoison).map(({ id }) => id),
    );
    expect(letters).toHaveLength(poison);
    expect(sink.stored).toHaveLength(messages.length - poison);
    expectOrder(messages, sink);
    const [first] = messages.filter(isPoison);
    const alone = sink.calls.filter(
      (call) => call.messages.length === 1 && call.messages[0]?.id === first?.id,
    );
    expect(alone.length).toBeGreaterThanOrEqual(tries);
  });

  test('that is away, or cannot store: no message is given up', async () => {
    const { sink, letters, add, stop, forwarder } = start(() => own, { ingest: true });
    onTestFinished(stop);
    add(many(5, 1));
    await until(() => sink.calls.length > 20 * tries);
    expect(letters).toEqual([]);
    expect(forwarder.holding).toBe(down.reason);
    // What says nothing by itself is not asked about the messages either.
    expect(sink.calls.filter(({ messages }) => messages.length > 0)).toHaveLength(1);
    sink.script = () => taken;
    await until(() => sink.stored.length === 5);
  });

  test('of a time when it knew no empty batch: it is kept', async () => {
    const { sink, letters, add, stop } = start(
      (messages) => (messages.length === 0 ? { kind: 'rejected', reason: 'status 400' } : own),
      { ingest: true },
    );
    onTestFinished(stop);
    add(many(1, 1));
    await until(() => sink.calls.length > 5 * tries);
    expect(letters).toEqual([]);
    expect(sink.calls.filter(({ messages }) => messages.length === 0)).toHaveLength(1);
  });
});

describe('to a webhook', () => {
  afterEach(() => void vi.useRealTimers());

  const webhook = {
    retry: { baseMs: 100, capMs: 30_000 },
    failingMessage: { tries, afterSeconds: 60, aloneSeconds: 600 },
  };

  /** A forwarder with a clock of its own, with one topic's messages. */
  function startWith(verdictOf: (messages: readonly Message[], nowMs: number) => Verdict) {
    vi.useFakeTimers();
    const started = start((messages) => verdictOf(messages, performance.now()), webhook);
    onTestFinished(started.stop);
    return started;
  }
  const minutes = (count: number) => vi.advanceTimersByTimeAsync(count * 60_000);

  test('that answers 500 to it alone: it goes after aloneSeconds, and the next may be taken', async () => {
    const { sink, letters, settled, add } = startWith(failsOn);
    const [poison, ...others] = many(20, 1, [0]);
    if (poison === undefined) return;
    add([poison, ...others]);
    await minutes(10);
    expect(letters).toEqual([]);
    await minutes(1);
    expect(letters).toMatchObject([
      { reason: 'the handler answered 500, to it alone', message: { id: poison.id } },
    ]);
    expect(sink.stored).toHaveLength(others.length);
    expect(settled).toHaveLength(20);
    // A second one waits twice as long.
    add([message({ topic: 't/0', text: 'poison' })]);
    await minutes(19);
    expect(letters).toHaveLength(1);
    await minutes(3);
    expect(letters).toHaveLength(2);
  });

  test('that answers 500 to all: of an outage comes one dead letter', async () => {
    const { letters, add } = startWith(() => own);
    add(many(20, 1));
    await minutes(24 * 60);
    expect(letters).toHaveLength(1);
  });

  test.each([
    ['503, as a proxy does whose handler is away', () => down],
    ['500 and now and then 503', (nowMs: number) => (nowMs % 300_000 < 60_000 ? down : own)],
  ])('that answers %s, for a day: no dead letter', async (_, verdictAt) => {
    const { sink, letters, add } = startWith((__, nowMs) => verdictAt(nowMs));
    add(many(20, 1));
    await minutes(24 * 60);
    expect(letters).toEqual([]);
    sink.script = () => taken;
    await minutes(1);
    expect(sink.stored).toHaveLength(20);
  });
});
