import { v7 as uuidv7 } from 'uuid';
import { describe, expect, test } from 'vitest';
import { commandIdLength } from '../../../functions/contract/command.ts';
import { itemBytes, maxItemBytes } from '../../../functions/table/chunks.ts';
import {
  commandId,
  commandKey,
  commandsPartition,
  isCommandId,
  type LedgerEntry,
  ledgerEntryOf,
  ledgerItem,
  type QueuedCommand,
  queueChunkKeys,
  queuedCommandOf,
  queueItems,
  queueKey,
  queueShardOf,
  queueShards,
  replyValue,
} from '../../../functions/table/command-item.ts';
import { legalTopic, mqttText } from '../../support/messages.ts';
import { fc } from '../../support/property.ts';

const sortKey = (id: string) => queueKey(id).sk.S ?? '';
const time = fc.integer({ min: 0, max: 4e12 }).map((ms) => new Date(ms).toISOString());
const bytes = fc.uint8Array({ maxLength: 50 }).map((array) => Buffer.from(array));

const properties = fc.record(
  {
    contentType: mqttText,
    responseTopic: legalTopic,
    correlationData: bytes,
    userProperties: fc.array(fc.tuple(mqttText, mqttText), { minLength: 1, maxLength: 3 }),
  },
  { requiredKeys: [] },
);

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

describe('ids', () => {
  test('lead to the ledger item and the shard, for any topic', () => {
    fc.assert(
      fc.property(legalTopic, (topic) => {
        const id = commandId(uuidv7(), topic);
        expect([id.length, isCommandId(id)]).toEqual([commandIdLength, true]);
        expect(commandKey(id)).toEqual({ pk: { S: commandsPartition(topic) }, sk: { S: id } });
        expect(queueShardOf(id)).toBe(queueShardOf(commandId(uuidv7(), topic)));
        expect(queueShardOf(id)).toBeLessThan(queueShards);
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

  test.each([
    '',
    'x',
    `${'0'.repeat(36)}-${'g'.repeat(16)}`,
    `${'0'.repeat(53)}\n`,
    '../'.repeat(18),
  ])('%j is none', (text) => expect(isCommandId(text)).toBe(false));
});

describe('the queue', () => {
  test('gives back any command, also in chunks', () => {
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
});

describe('the ledger', () => {
  const entry: LedgerEntry = {
    id: commandId('01890a5d-ac96-774b-bcce-b302099a8057', 'a/{commandId}'),
    topic: 'a/{commandId}',
    status: 'pending',
    qos: 2,
    retain: true,
    createdAt: '2026-01-01T00:00:00.000Z',
    deadline: '2026-01-01T01:00:00.000Z',
    awaitsReply: true,
    responseTopic: 'r',
    correlationData: Buffer.from([0, 1]),
    history: [{ status: 'pending', at: '2026-01-01T00:00:00.000Z' }],
  };

  test('gives back a new command', () => {
    expect(ledgerEntryOf(ledgerItem(entry, 1_900_000_000))).toEqual(entry);
  });

  test('gives back what the bridge added', () => {
    fc.assert(
      fc.property(bytes, properties, time, (payload, { contentType, userProperties }, at) => {
        const reply = {
          topic: 'r',
          receivedAt: at,
          payloadBase64: payload.toString('base64'),
          ...(contentType !== undefined && { contentType }),
          ...(userProperties !== undefined && { userProperties }),
        };
        const item = {
          ...ledgerItem(entry, 1_900_000_000),
          status: { S: 'answered' },
          sentAt: { S: at },
          hadSubscribers: { BOOL: true },
          reply: replyValue(reply),
        };
        expect(ledgerEntryOf(item)).toEqual({
          ...entry,
          status: 'answered',
          sentAt: at,
          hadSubscribers: true,
          reply,
        });
      }),
    );
  });

  test('anything else is refused', () => {
    expect(() => ledgerEntryOf({})).toThrow(/no string attribute/);
    expect(() => ledgerEntryOf({ ...ledgerItem(entry, 1), status: { S: 'lost' } })).toThrow(/lost/);
  });
});
