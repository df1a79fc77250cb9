// What is noted of stored messages, and that nothing which is stored waits for it longer than it may.
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { expect, test } from 'vitest';
import { createFeedWriter } from '../../../functions/feed/feed-writer.ts';

const parts = [
  { place: { kind: 'items', shards: 1 } as const, messages: [{ topic: 'a', key: '2026#1' }] },
];

/** A table where somebody watches, and calls of some kinds are never answered. */
function noteWith(...silent: string[]) {
  const written: string[] = [];
  const watch = { untilMs: { N: '5000' } };
  const client = {
    async send(command: { constructor: { name: string }; input: object }) {
      const { name } = command.constructor;
      if (silent.includes(name)) return new Promise(() => {});
      if (name === 'BatchGetItemCommand') return { Responses: { messages: [watch] } };
      if (name === 'BatchWriteItemCommand') written.push(JSON.stringify(command.input));
      return {};
    },
  } as unknown as DynamoDBClient;
  const note = createFeedWriter({
    client,
    tableName: 'messages',
    checkMs: 0,
    tableNow: () => 1000,
    noteMs: 10,
  });
  return { note, written };
}

test('with a stamp above what was noted before, as its sender says, but not far ahead', async () => {
  const { note } = noteWith();
  expect(await note(parts, 1500)).toBe(1501);
  expect(await note(parts, 1_000_000)).toBe(11_001);
});

test('where the other notes cannot be read, by the clock', async () => {
  const { note, written } = noteWith('QueryCommand');
  expect(await note(parts, 'unknown')).toBe(1000);
  expect(written).toHaveLength(2);
});

test('where it cannot be read whether somebody watches, nothing', async () => {
  const { note, written } = noteWith('BatchGetItemCommand');
  expect(await note(parts)).toBeUndefined();
  expect(written).toEqual([]);
});
