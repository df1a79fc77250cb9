// Expressions tried on stored messages: what is counted and told, and what bounds it.
import { describe, expect, test } from 'vitest';
import { type PreviewRequest, preview } from '../../../../functions/api/routes/preview.ts';
import type { Message } from '../../../../functions/contract/message.ts';
import { createEvaluator } from '../../../../functions/expression/evaluator.ts';
import type { StoredMessages } from '../../../../functions/reading/stored-messages.ts';
import { ReadBudget } from '../../../../functions/table/read-budget.ts';
import { message } from '../../../support/messages.ts';

/** Messages by topic, newest first, as the table would give them. */
function storedOf(topics: Record<string, readonly Message[]>): StoredMessages {
  const byId = new Map(Object.values(topics).flatMap((list) => list.map((one) => [one.id, one])));
  return {
    async *topicSteps() {
      for (const topic of Object.keys(topics))
        yield { key: topic, item: { topic: { S: topic }, lastSeen: { S: '2026' } } };
      return true;
    },
    async *messageSteps(topic, _, { maxItems = Number.POSITIVE_INFINITY }) {
      const list = topics[topic] ?? [];
      for (const { id } of list.slice(0, maxItems)) yield { key: id, item: { id: { S: id } } };
      return list.length <= maxItems;
    },
    async whole(item) {
      return byId.get(item['id']?.S ?? '') ?? message();
    },
  };
}

const ask = (stored: StoredMessages, request: Partial<PreviewRequest>, budget = new ReadBudget()) =>
  preview(
    { filter: '#', maxMessages: 10_000, ...request },
    { stored, evaluatorOf: createEvaluator, budget },
  );

const numbered = (topic: string, count: number) =>
  Array.from({ length: count }, (_, index) => message({ topic, text: `{"n":${index}}` }));

describe('preview', () => {
  test('counts what would pass, be dropped and fail, and tells the first ten as the handler would get them', async () => {
    const stored = storedOf({
      'a/1': numbered('a/1', 600),
      'a/2': [message({ topic: 'a/2', id: 'bad', text: '{"n":"text"}' })],
      b: numbered('b', 5),
    });
    const found = await ask(stored, {
      filter: 'a/+',
      where: 'payload.n < 100',
      transform: '{"is": payload.n}',
    });
    expect(found).toMatchObject({
      read: 601,
      passed: 100,
      dropped: 500,
      failed: 1,
      isComplete: true,
      failures: [{ topic: 'a/2', id: 'bad' }],
    });
    expect(found.results.map(({ payload }) => Buffer.from(payload).toString())).toEqual(
      Array.from({ length: 10 }, (_, index) => `{"is":${index}}`),
    );
  });

  test('true passes all, false nothing, and without where all would pass', async () => {
    const stored = storedOf({ a: numbered('a', 30) });
    expect(await ask(stored, { where: 'true' })).toMatchObject({ read: 30, passed: 30 });
    expect(await ask(stored, { where: 'false' })).toMatchObject({ passed: 0, dropped: 30 });
    expect(await ask(stored, { transform: 'payload' })).toMatchObject({ passed: 30 });
  });

  test('reads no more than maxMessages, and of a topic no more than its newest 1,000', async () => {
    const stored = storedOf({ a: numbered('a', 1500), b: numbered('b', 20) });
    expect(await ask(stored, { where: 'true', maxMessages: 10 })).toMatchObject({
      read: 10,
      passed: 10,
      isComplete: false,
    });
    expect(await ask(stored, { where: 'true' })).toMatchObject({ read: 1020, isComplete: false });
  });

  test('goes no further than its caller has paid for', async () => {
    const stored = storedOf({ a: numbered('a', 20) });
    const unpaid = new ReadBudget(256, { book: () => {}, mayRead: async () => false });
    expect(await ask(stored, { where: 'true' }, unpaid)).toMatchObject({
      read: 0,
      isComplete: false,
    });
  });

  test('a hostile expression fails on its messages, and the answer comes', async () => {
    const stored = storedOf({ a: numbered('a', 2) });
    expect(await ask(stored, { transform: '$pad("x", 100000000)' })).toMatchObject({ failed: 2 });
    expect(
      await ask(stored, { where: '$contains($pad("a", -40, "a") & "!", /^(a+)+$/)' }),
    ).toMatchObject({ read: 2, failed: 2 });
  });
});
