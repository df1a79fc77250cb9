// The forwarder and messages that the handler refuses, or names as failed, while it takes others.
import { describe, expect, onTestFinished, test } from 'vitest';
import { message } from '../../support/messages.ts';
import { type Script, type SeenCall, taken } from '../../support/scripted-sink.ts';
import { until } from '../../support/wait.ts';
import { expectOrder, isPoison, many, start } from './scripted-forwarder.ts';

describe('a message that the handler names', () => {
  const naming: Script = (messages) => ({
    kind: 'answered',
    duplicates: 0,
    failures: new Map(
      messages
        .filter(isPoison)
        .map(({ id }) => [id, { itemIdentifier: id, reason: 'throttled', retryable: true }]),
    ),
  });

  test('again and again, while it stores others: it is quarantined', async () => {
    const { sink, letters, settled, add, stop } = start(naming, { maxBatch: 5 });
    onTestFinished(stop);
    const messages = many(200, 200, [20]);
    add(messages.slice(0, 100));
    let next = 100;
    await until(() => {
      add(messages.slice(next, ++next));
      return letters.length === 1;
    });
    expect(letters[0]).toMatchObject({ reason: 'throttled, while other messages are taken' });
    await until(() => settled.length === Math.min(next, 200));
    expectOrder(messages, sink);
  });

  test('while it stores nothing at all: its database is away, and all is kept', async () => {
    const { sink, letters, settled, add, stop } = start(naming, { maxBatch: 500 });
    onTestFinished(stop);
    add(Array.from({ length: 20 }, (_, index) => message({ topic: `t/${index}`, text: 'poison' })));
    await until(() => sink.calls.length > 50);
    expect([letters, settled]).toEqual([[], []]);
  });
});

describe('a message that is refused with 4xx', () => {
  const refused = { kind: 'rejected', reason: 'the handler answered 422' } as const;

  test('becomes a dead letter after rejectTries, and its topic waits that long', async () => {
    const script: Script = (messages) => (messages.some(isPoison) ? refused : taken);
    const { sink, letters, settled, add, stop } = start(script, { rejectTries: 3 });
    onTestFinished(stop);
    const messages = many(20, 4, [4]);
    add(messages);
    await until(() => settled.length === 20);
    expect(letters).toHaveLength(1);
    const alone = sink.calls.filter((call) => call.messages.length === 1 && isPoisonCall(call));
    expect(alone).toHaveLength(3);
    expectOrder(messages, sink);
    expect(settled.indexOf(messages[4]?.id ?? '')).toBeLessThan(
      settled.indexOf(messages[8]?.id ?? ''),
    );
  });

  test('at once where no further try can help', async () => {
    const final = { ...refused, final: true } as const;
    const script: Script = (messages) => (messages.some(isPoison) ? final : taken);
    const { letters, settled, add, stop } = start(script, { rejectTries: 3, maxBatch: 1 });
    onTestFinished(stop);
    add(many(5, 5, [2]));
    await until(() => settled.length === 5);
    expect(letters).toMatchObject([{ attempts: 1 }]);
  });
});

function isPoisonCall({ messages }: SeenCall): boolean {
  return messages.some(isPoison);
}
