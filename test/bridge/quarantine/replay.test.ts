// A dead letter once more: over HTTP to a real bridge, whose quarantine is in a real table.
import { GetItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import type { Bridge } from '../../../bridge/bridge.ts';
import type { Verdict } from '../../../bridge/handler/verdict.ts';
import { tableQuarantine } from '../../../bridge/quarantine/quarantine-table.ts';
import { createReplay, type KeptLetter } from '../../../bridge/quarantine/replay.ts';
import {
  type DeadLetter,
  deadLetterId,
  quarantinePartition,
} from '../../../functions/contract/dead-letter.ts';
import {
  decodeKeptEnvelope,
  encodeBatch,
  encodeEnvelope,
} from '../../../functions/contract/envelope.ts';
import { startTestBridge } from '../../support/bridges.ts';
import { startHandler, type TestHandler } from '../../support/handler.ts';
import { anyMessage, message } from '../../support/messages.ts';
import { startTable, type TestTable } from '../../support/table.ts';

const token = 'token-of-the-bridge';
const held = { kind: 'hold', reason: 'status 500', overloaded: true, broken: false } as const;
let table: TestTable;
let handler: TestHandler;
let bridge: Bridge;

beforeEach(async () => {
  const opened = await startTable();
  table = opened;
  onTestFinished(() => opened.close());
  handler = await startHandler();
  bridge = await startTestBridge({
    brokerUrl: 'mqtt://127.0.0.1:1',
    handlerUrl: handler.url,
    token,
    table,
  });
});
afterEach(() => handler.close());

async function quarantine(parts: Parameters<typeof message>[0] = {}, route = 'store') {
  const letter: DeadLetter = {
    route,
    reason: 'the handler answered 422',
    attempts: 1,
    quarantinedAt: new Date().toISOString(),
    message: message(parts),
  };
  await tableQuarantine(table.tableName, table.client).put(letter);
  return deadLetterId(letter);
}

async function replay(id: unknown): Promise<[number, unknown]> {
  const response = await fetch(`${bridge.url}/dead-letters/replay`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify({ id }),
  });
  return [response.status, await response.json()];
}

async function attempts(id: string): Promise<string | undefined> {
  const { Item } = await table.client.send(
    new GetItemCommand({
      TableName: table.tableName,
      Key: { pk: { S: quarantinePartition }, sk: { S: id } },
    }),
  );
  return Item?.['attempts']?.N;
}

test('the handler gets the same message, and it leaves the quarantine', async () => {
  const id = await quarantine({ topic: 'rooms/kitchen', text: 'x' });
  expect(await replay(id)).toEqual([200, { status: 'delivered' }]);
  expect(handler.stored).toMatchObject([{ subject: 'rooms/kitchen', data: 'x' }]);
  expect(await attempts(id)).toBeUndefined();
  expect(await replay(id)).toMatchObject([404, { code: 'not-found' }]);
});

test('one in chunks is replayed whole, and a topic that is none as it came', async () => {
  const large = await quarantine({ payload: Buffer.alloc(900_000, 'ab') });
  const broken = await quarantine({ topic: 'a/\u0001' });
  expect((await replay(large))[0]).toBe(200);
  expect((await replay(broken))[0]).toBe(200);
  expect(handler.stored.map(({ data }) => data?.length)).toEqual([900_000, 16]);
  const { Items = [] } = await table.client.send(new ScanCommand({ TableName: table.tableName }));
  expect(Items.filter(({ pk }) => pk?.S?.startsWith(quarantinePartition))).toEqual([]);
});

test('a handler that refuses it again: 422, and one more attempt', async () => {
  const id = await quarantine();
  handler.answer = (_, response) => void response.writeHead(422).end('no such room');
  expect(await replay(id)).toMatchObject([
    422,
    { code: 'handler-refused', detail: 'the handler answered 422: no such room' },
  ]);
  expect(await attempts(id)).toBe('2');
  handler.answer = ({ events }, response) =>
    void response.end(
      JSON.stringify({
        batchItemFailures: [
          { itemIdentifier: events[0]?.id, reason: 'still wrong', retryable: false },
        ],
      }),
    );
  expect(await replay(id)).toMatchObject([422, { detail: 'still wrong' }]);
  expect(await attempts(id)).toBe('3');
});

test('a handler that is down: 503, and nothing changes', async () => {
  const id = await quarantine();
  handler.answer = (_, response) => void response.writeHead(503).end();
  expect(await replay(id)).toMatchObject([503, { code: 'handler-unavailable' }]);
  expect(await attempts(id)).toBe('1');
});

test('a route that the bridge no longer has, an unknown id, and no id', async () => {
  const id = await quarantine({}, 'gone');
  expect(await replay(id)).toMatchObject([409, { code: 'route-unknown', detail: 'route gone' }]);
  expect(await replay('2026-01-01T00:00:00.000000Z#x')).toMatchObject([404, {}]);
  for (const wrong of ['', 7, 'x'.repeat(1025)])
    expect(await replay(wrong)).toMatchObject([400, { code: 'invalid-request' }]);
  expect(handler.requests).toEqual([]);
});

test('what is kept becomes the same request again', () => {
  fc.assert(
    fc.property(anyMessage, (one) => {
      const kept = decodeKeptEnvelope(encodeEnvelope(one));
      expect(encodeBatch([kept]).equals(encodeBatch([one]))).toBe(true);
    }),
  );
});

test('the same one asked for twice at a time is sent once', async () => {
  let letters = 0;
  const letter: KeptLetter = {
    route: 'store',
    envelope: '{"id":"a"}',
    countAttempt: async () => {},
    remove: async () => void letters++,
  };
  let posts = 0;
  const replayOnce = createReplay(
    async () => letter,
    [
      {
        config: { name: 'store', maxBatch: 1, maxBatchBytes: 1_000_000 },
        async send() {
          posts++;
          return { kind: 'answered', failures: new Map(), duplicates: 0 };
        },
        deliveredMessages: () => 0,
      },
    ],
  );
  expect(await Promise.all([replayOnce('a'), replayOnce('a')])).toEqual([undefined, undefined]);
  expect([posts, letters]).toEqual([1, 1]);
});

test.each<[string, Verdict, boolean]>([
  ['brings its handler down', { ...held, suspicious: true }, true],
  ['meets a handler that asks for time', { ...held, retryAfterMs: 1000 }, false],
  ['meets a handler that has gone', { kind: 'gone', reason: 'status 410' }, false],
  [
    'is named as failed',
    {
      kind: 'answered',
      duplicates: 0,
      failures: new Map([['a', { itemIdentifier: 'a', reason: 'busy' }]]),
    },
    true,
  ],
])('whether it is its own fault that it %s is told', async (_, verdict, suspicious) => {
  const letter: KeptLetter = {
    route: 'store',
    envelope: '{"id":"a"}',
    countAttempt: async () => {},
    remove: async () => {},
  };
  const config = { name: 'store', maxBatch: 1, maxBatchBytes: 1_000_000 };
  const route = { config, send: async () => verdict, deliveredMessages: () => 0 };
  expect(await createReplay(async () => letter, [route])('a')).toMatchObject({
    problem: { code: 'handler-unavailable' },
    suspicious,
  });
});
