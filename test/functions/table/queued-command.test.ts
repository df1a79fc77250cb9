import { v7 as uuidv7 } from 'uuid';
import { expect, test } from 'vitest';
import { itemBytes, maxItemBytes } from '../../../functions/table/chunks.ts';
import { commandId } from '../../../functions/table/command-id.ts';
import {
  type QueuedCommand,
  queueChunkKeys,
  queuedCommandOf,
  queuedIdAt,
  queueItems,
  queueKey,
  queueShardOf,
  queueShards,
} from '../../../functions/table/queued-command.ts';
import { legalTopic } from '../../support/messages.ts';
import { fc } from '../../support/property.ts';
import { bytes, properties, time } from './command-parts.ts';

const sortKey = (id: string) => queueKey(id).sk.S ?? '';

const queued: fc.Arbitrary<QueuedCommand> = fc
  .record({
    topic: legalTopic,
    payload: fc.oneof(
      bytes,
      fc.integer({ min: 65_536, max: 900_000 }).map((size) => Buffer.alloc(size, 7)),
    ),
    qos: fc.constantFrom(0 as const, 1 as const, 2 as const),
    retain: fc.boolean(),
    properties,
    deadline: time,
    expiresAtBroker: fc.boolean(),
    awaitsReply: fc.boolean(),
  })
  .map((parts) => ({ id: commandId(uuidv7(), parts.topic), ...parts }));

test('an id leads to the shard of its topic, and its sort key back to it', () => {
  fc.assert(
    fc.property(legalTopic, (topic) => {
      const id = commandId(uuidv7(), topic);
      expect(queueShardOf(id)).toBe(queueShardOf(commandId(uuidv7(), topic)));
      expect(queueShardOf(id)).toBeLessThan(queueShards);
      expect(queuedIdAt(sortKey(id))).toBe(id);
    }),
  );
});

test('the queue has the commands of a topic in the order of their ids, and no others between', () => {
  const topics = fc.uniqueArray(legalTopic, { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(topics, fc.array(fc.nat(2), { maxLength: 40 }), (names, picks) => {
      const ids = picks.map((pick) => {
        const topic = names[pick % names.length] ?? '';
        return { topic, id: commandId(uuidv7(), topic) };
      });
      const inQueue = ids
        .map(({ topic, id }) => ({ topic, id, key: sortKey(id) }))
        .sort((a, b) => (a.key < b.key ? -1 : 1));
      for (const name of names) {
        const of = (list: readonly { topic: string; id: string }[]) =>
          list.filter(({ topic }) => topic === name).map(({ id }) => id);
        expect(of(inQueue)).toEqual(of(ids));
      }
      const runs = inQueue.filter(({ topic }, index) => topic !== inQueue[index - 1]?.topic);
      expect(runs.length).toBe(new Set(ids.map(({ topic }) => topic)).size);
    }),
  );
});

test('the queue gives back any command, also in chunks', () => {
  fc.assert(
    fc.property(queued, (command) => {
      const items = queueItems(command, 1_900_000_000);
      const head = items.at(-1) ?? {};
      const chunks = items.slice(0, -1);
      expect(queueChunkKeys(head)).toEqual(chunks.map(({ pk, sk }) => ({ pk, sk })));
      expect(chunks.length > 0).toBe(command.payload.byteLength > 65_536);
      for (const item of items) {
        expect(itemBytes(item)).toBeLessThan(maxItemBytes);
        expect(item['expiresAt']).toEqual({ N: '1900000000' });
      }
      const { payload, ...rest } = queuedCommandOf(head, chunks.reverse());
      const { payload: sent, ...given } = command;
      expect(rest).toEqual(given);
      expect(Buffer.compare(payload, sent)).toBe(0);
    }),
    { numRuns: 50 },
  );
});
