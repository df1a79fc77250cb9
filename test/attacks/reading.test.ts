// What a caller may make the owner of the table read: read units are what DynamoDB bills.

import { BatchWriteItemCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, expect } from 'vitest';
import { createDeadLetters } from '../../functions/api/dead-letters/dead-letter-store.ts';
import { deadLetterEndpoints } from '../../functions/api/dead-letters/endpoints.ts';
import { createCursors } from '../../functions/api/interface/cursor.ts';
import type { Endpoint } from '../../functions/api/interface/operation.ts';
import { messageEndpoints } from '../../functions/api/messages/endpoints.ts';
import { createReader } from '../../functions/api/messages/reader.ts';
import { presenceEndpoints } from '../../functions/api/presence/endpoints.ts';
import { createPresenceReader } from '../../functions/api/presence/reader.ts';
import { deadLetterItems } from '../../functions/table/dead-letter.ts';
import type { Item } from '../../functions/table/item.ts';
import { knownTopicKey } from '../../functions/table/known-topic.ts';
import { call } from '../support/endpoints.ts';
import { message } from '../support/messages.ts';
import { principal } from '../support/principals.ts';
import { startTable, type TestTable } from '../support/table.ts';
import { attack } from './attack.ts';

const expiresAt = { N: String(Math.floor(Date.now() / 1000) + 86_400) };
const stamp = '2026-11-28T00:00:00.000000Z';
/** 4 MB of registry: 1,024 units, read whole. */
const topics = Array.from(
  { length: 4000 },
  (_, index) => `${index % 2 === 0 ? 'a' : 't'}${index}/${'x'.repeat(900)}`,
);
/** What the attacker may read stands in the middle of them. */
const own = ['rooms', 'rooms/a'];

let table: TestTable;
let endpoints: Endpoint[];
let units = 0;
let queries = 0;

beforeAll(async () => {
  table = await startTable();
  await write([...topics, ...own].map(knownTopic));
  await write(Array.from({ length: 40 }, (_, index) => deadLetter(`t${index}`, 100_000)).flat(), 5);
  const { client, tableName } = table;
  countReads(client);
  const database = { client, tableName };
  const cursors = createCursors('a secret of the tests');
  const replay = async () => ({ ok: true }) as const;
  endpoints = [
    ...messageEndpoints(createReader(database), cursors),
    ...deadLetterEndpoints(createDeadLetters({ ...database, replay }), cursors),
    ...presenceEndpoints(createPresenceReader(database), cursors),
  ];
}, 120_000);
afterAll(() => table.close());

function knownTopic(topic: string): Item {
  return {
    ...knownTopicKey(topic),
    topic: { S: topic },
    lastSeen: { S: stamp },
    messages: { N: '1' },
    expiresAt,
  };
}

function deadLetter(topic: string, bytes: number): Item[] {
  const letter = {
    route: 'hook',
    reason: 'refused',
    attempts: 1,
    quarantinedAt: stamp,
    message: message({ topic, payload: Buffer.alloc(bytes, 'x') }),
  };
  return [...deadLetterItems(letter)].map((item) => ({ ...item, expiresAt }));
}

async function write(items: readonly Item[], together = 25): Promise<void> {
  for (let start = 0; start < items.length; start += together) {
    const puts = items.slice(start, start + together).map((Item) => ({ PutRequest: { Item } }));
    await table.client.send(
      new BatchWriteItemCommand({ RequestItems: { [table.tableName]: puts } }),
    );
  }
}

/** Counts what the calls of a client consume. */
function countReads(client: DynamoDBClient): void {
  client.middlewareStack.add(
    (next) => async (args) => {
      Object.assign(args.input, { ReturnConsumedCapacity: 'TOTAL' });
      const result = await next(args);
      const { ConsumedCapacity } = result.output as {
        ConsumedCapacity?: { CapacityUnits?: number };
      };
      queries++;
      units += ConsumedCapacity?.CapacityUnits ?? 0;
      return result;
    },
    { step: 'initialize' },
  );
}

const attacker = principal('attacker', { read: 'rooms/#' });
const wide = principal('wide', { read: '+/nothing' });

async function readUnits(path: string, who = attacker) {
  units = 0;
  queries = 0;
  const answer = await call(endpoints, who, path);
  return { ...answer, units, queries };
}

attack(
  'a token for one topic asks for every topic, and for the newest message of each',
  async () => {
    const told: string[] = [];
    for (const path of [
      '/v1/topics?filter=%23&limit=1',
      '/v1/messages/latest?filter=%23&limit=1',
    ]) {
      const { status, units: used } = await readUnits(path);
      expect([status, used < 10]).toEqual([200, true]);
      told.push(String(used));
    }
    const { body } = await readUnits('/v1/topics?filter=%23');
    expect(body.topics.map(({ topic }: { topic: string }) => topic)).toEqual(own);
    return `${told.join(' and ')} read units, of a registry of about 530`;
  },
);

attack('a token for a topic that no prefix leads to pages through all of them', async () => {
  let path = '/v1/topics?filter=%23&limit=1';
  let pages = 0;
  let total = 0;
  for (;;) {
    const { body, units: used } = await readUnits(path, wide);
    pages++;
    total += used;
    expect(used).toBeLessThanOrEqual(256 + 128);
    if (body.nextCursor === undefined) break;
    path = `/v1/topics?filter=%23&limit=1&cursor=${body.nextCursor}`;
  }
  return `${total} read units in ${pages} pages, at most 384 each`;
});

attack('a token without a right on any dead letter lists them', async () => {
  const none = await readUnits('/v1/dead-letters?limit=1', principal('none', { publish: '#' }));
  expect([none.status, none.queries]).toEqual([200, 0]);
  const { status, units: used } = await readUnits('/v1/dead-letters?limit=1');
  expect([status, used <= 384]).toEqual([200, true]);
  return `nothing is read without a scope; ${used} read units with one, at most 384 a page`;
});

attack('a token for one client asks who is online', async () => {
  const one = principal('one', { read: '$presence/lamp-1' });
  const { status, queries: sent } = await readUnits('/v1/presence', one);
  expect([status, sent]).toEqual([200, 8]);
  const none = await readUnits('/v1/presence');
  expect([none.status, none.queries]).toEqual([200, 0]);
  return 'one key of each of 8 partitions is read; nothing without the right';
});

attack('a filter of 7,000 levels', async () => {
  const filter = Array(7000).fill('%2B').join('/');
  for (const path of ['/v1/topics', '/v1/messages/latest', '/v1/dead-letters', '/v1/presence']) {
    const { status, body, queries: sent } = await readUnits(`${path}?filter=${filter}`);
    expect([status, body.errors?.[0].field, sent]).toEqual([400, 'filter', 0]);
  }
  const allowed = `${Array(127).fill('%2B').join('/')}/%23`;
  const startMs = process.cpuUsage().user;
  expect(
    (await readUnits(`/v1/topics?filter=${allowed}`, principal('all', { read: '#' }))).status,
  ).toBe(200);
  const cpuMs = (process.cpuUsage().user - startMs) / 1000;
  expect(cpuMs).toBeLessThan(2000);
  return `400; one of 128 levels takes ${Math.round(cpuMs)} ms of CPU, table included`;
});
