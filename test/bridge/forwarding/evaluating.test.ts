// A route with where and transform: what its handler gets, what is acknowledged without it, and what becomes a dead letter.
import { expect, onTestFinished, test } from 'vitest';
import type { Message } from '../../../functions/contract/message.ts';
import { message } from '../../support/messages.ts';
import { down, type Script, taken } from '../../support/scripted-sink.ts';
import { until } from '../../support/wait.ts';
import { expectOrder, isPoison, many, start } from './scripted-forwarder.ts';

const textOf = ({ payload }: Message) => Buffer.from(payload).toString();

function started(script: Script, route: Record<string, unknown>) {
  const one = start(script, route);
  onTestFinished(one.stop);
  return one;
}

/** Messages over five topics, with their numbers as payload. */
const numbered = (count: number) =>
  Array.from({ length: count }, (_, index) =>
    message({ topic: `t/${index % 5}`, text: `{"n":${index}}` }),
  );

test('what where drops is settled and counted, and the handler gets the rest in order', async () => {
  const { sink, letters, settled, traces, counters, add } = started(() => taken, {
    where: 'payload.n % 3 = 0',
    maxBatch: 20,
  });
  const messages = numbered(300);
  add(messages);
  await until(() => settled.length === 300);
  expect(sink.stored.map(textOf).sort()).toEqual(
    messages
      .map(textOf)
      .filter((_, index) => index % 3 === 0)
      .sort(),
  );
  expectOrder(messages, sink);
  expect(counters).toMatchObject({ filtered: 200, delivered: 100, quarantined: 0, retried: 0 });
  expect(letters).toEqual([]);
  expect(traces.waiting(messages[1]?.id ?? '')).toMatchObject([{ state: 'filtered', tries: 0 }]);
  expect(traces.waiting(messages[3]?.id ?? '')).toEqual([]);
});

test('the handler gets what transform gives, and the message is what is settled and quarantined', async () => {
  const refused = { kind: 'rejected', reason: 'the handler answered 422' } as const;
  const { sink, letters, settled, add } = started(
    (messages) => (messages.some((one) => textOf(one).includes('t/1')) ? refused : taken),
    { transform: '{"text": topic}' },
  );
  const messages = [message({ topic: 't/0' }), message({ topic: 't/1', text: '{"n":1}' })];
  add(messages);
  await until(() => settled.length === 2);
  expect(sink.stored.map(textOf)).toEqual(['{"text":"t/0"}']);
  expect(letters).toMatchObject([{ reason: refused.reason }]);
  expect(letters[0]?.message).toBe(messages[1]);
});

test('a message that an expression fails on becomes a dead letter with the reason, unasked', async () => {
  const { sink, letters, settled, add } = started(() => taken, {
    where: '$contains(payload, "x")',
    maxBatch: 50,
  });
  const messages = many(100, 10, [42]).map((one) =>
    isPoison(one)
      ? message({ topic: one.topic, text: '{"no":"text"}' })
      : { ...one, payload: Buffer.from('xx') },
  );
  add(messages);
  await until(() => settled.length === 100);
  expect(letters).toMatchObject([{ message: messages[42], attempts: 0 }]);
  expect(letters[0]?.reason).toMatch(/contains/);
  expect(sink.stored).toHaveLength(99);
  expectOrder(messages, sink);
});

test('one that would never end goes there alone, and the others are delivered', async () => {
  const { letters, settled, counters, add } = started(() => taken, {
    where: '$not($contains(payload, /^(a+)+$/))',
  });
  const messages = many(60, 6).map((one, index) => ({
    ...one,
    payload: Buffer.from(index === 31 ? `${'a'.repeat(60)}!` : 'fine'),
  }));
  add(messages);
  await until(() => settled.length === 60);
  expect(letters).toMatchObject([{ message: messages[31], reason: 'it takes too long' }]);
  expect(counters.delivered).toBe(59);
});

test('while the handler is away nothing that passes is settled, and what where drops is never asked about', async () => {
  let isDown = true;
  const { sink, letters, settled, add } = started(() => (isDown ? down : taken), {
    where: 'payload.n % 2 = 0',
    transform: 'payload.n',
    maxBatch: 10,
  });
  const messages = numbered(100);
  add(messages);
  await until(() => sink.calls.length > 20);
  const even = messages.filter((_, index) => index % 2 === 0).map(({ id }) => id);
  expect(settled.filter((id) => even.includes(id))).toEqual([]);
  isDown = false;
  await until(() => settled.length === 100);
  expect(letters).toEqual([]);
  const numbers = sink.stored.map((one) => Number(textOf(one)));
  expect(new Set(numbers)).toEqual(
    new Set(messages.flatMap((_, index) => (index % 2 ? [] : [index]))),
  );
  expectOrder(messages, sink);
});

test('where the dead letters cannot take it, a message that fails is kept, and tried again', async () => {
  const { letters, settled, add, stop } = start(() => taken, { where: '$error("no")' });
  let failures = 0;
  const put = letters.push.bind(letters);
  letters.push = (letter) => {
    if (failures++ < 3) throw new Error('the disk is full');
    return put(letter);
  };
  onTestFinished(stop);
  add([message()]);
  await until(() => settled.length === 1);
  expect([failures, letters.length]).toEqual([4, 1]);
});

test('nothing is sent once the route is paused, though it was being evaluated', async () => {
  const { sink, gate, settled, add } = started(() => taken, { where: 'true' });
  add(numbered(10));
  let resume = () => {};
  void gate.closedDuring(
    () =>
      new Promise<void>((resolve) => {
        resume = resolve;
      }),
  );
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect([sink.started, settled]).toEqual([0, []]);
  resume();
  await until(() => settled.length === 10);
});
