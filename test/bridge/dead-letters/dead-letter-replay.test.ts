// A dead letter once more: over HTTP to a real bridge, whose quarantine is in a real table.
import { GetItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import type { Bridge } from '../../../bridge/bridge.ts';
import {
  createReplay,
  type KeptDeadLetter,
  type ReplayVerdict,
} from '../../../bridge/dead-letters/dead-letter-replay.ts';
import { tableDeadLetters } from '../../../bridge/dead-letters/dead-letter-table.ts';
import { encodeBatch, encodeEnvelope } from '../../../functions/contract/envelope.ts';
import { decodeKeptEnvelope } from '../../../functions/contract/envelope-decoding.ts';
import {
  type DeadLetter,
  deadLetterId,
  deadLetterPartition,
} from '../../../functions/table/dead-letter.ts';
import { startTestBridge } from '../../support/bridges.ts';
import { startHandler, type TestHandler } from '../../support/handler.ts';
import { anyMessage, message } from '../../support/messages.ts';
import { fc } from '../../support/property.ts';
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

async function addDeadLetter(parts: Parameters<typeof message>[0] = {}, route = 'store') {
  const letter: DeadLetter = {
    route,
    reason: 'the handler answered 422',
    attempts: 1,
    quarantinedAt: new Date().toISOString(),
    message: message(parts),
  };
  await tableDeadLetters(table.tableName, table.client).put(letter);
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
      Key: { pk: { S: deadLetterPartition }, sk: { S: id } },
    }),
  );
  return Item?.['attempts']?.N;
}

test('the handler gets the same message, and it leaves the dead letters', async () => {
  const id = await addDeadLetter({ topic: 'rooms/kitchen', text: 'x' });
  expect(await replay(id)).toEqual([200, { status: 'delivered' }]);
  expect(handler.stored).toMatchObject([{ subject: 'rooms/kitchen', data: 'x' }]);
  expect(await attempts(id)).toBeUndefined();
  expect(await replay(id)).toMatchObject([404, { code: 'not-found' }]);
});

test('one in chunks is replayed whole, and a topic that is none as it came', async () => {
  const large = await addDeadLetter({ payload: Buffer.alloc(900_000, 'ab') });
  const broken = await addDeadLetter({ topic: 'a/\u0001', text: 'sixteen bytes :-)' });
  expect((await replay(large))[0]).toBe(200);
  expect((await replay(broken))[0]).toBe(200);
  expect(handler.stored.map(({ data }) => data?.length)).toEqual([900_000, 17]);
  const { Items = [] } = await table.client.send(new ScanCommand({ TableName: table.tableName }));
  expect(Items.filter(({ pk }) => pk?.S?.startsWith(deadLetterPartition))).toEqual([]);
});

test('a handler that refuses it again: 422, and one more attempt', async () => {
  const id = await addDeadLetter();
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
  const id = await addDeadLetter();
  handler.answer = (_, response) => void response.writeHead(503).end();
  expect(await replay(id)).toMatchObject([503, { code: 'handler-unavailable' }]);
  expect(await attempts(id)).toBe('1');
});

test('a route that the bridge no longer has, an unknown id, and no id', async () => {
  const id = await addDeadLetter({}, 'gone');
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
      expect(encodeBatch([kept])).toEqual(encodeBatch([one]));
    }),
  );
});

test('one that no request of its route carries is refused, and not even read', async () => {
  const letter: KeptDeadLetter = {
    route: 'store',
    bytes: 1_000_001,
    envelope: async () => expect.fail('it may be larger than memory'),
    countAttempt: async () => {},
    remove: async () => {},
  };
  const config = { name: 'store', maxBatch: 1, maxBatchBytes: 1_000_000 };
  const route = { config, send: async () => held, deliveredMessages: () => 0 };
  expect(await createReplay(async () => letter, [route])('a')).toMatchObject({
    problem: { code: 'handler-refused', detail: 'it takes 1000001 bytes, and a request 1000000' },
    suspicious: false,
  });
});

test('large ones are not all read at once', async () => {
  let reading = 0;
  let most = 0;
  const letter: KeptDeadLetter = {
    route: 'store',
    bytes: 1_000_000,
    async envelope() {
      most = Math.max(most, ++reading);
      await new Promise((resolve) => setTimeout(resolve, 10));
      reading--;
      return '{"id":"a"}';
    },
    countAttempt: async () => {},
    remove: async () => {},
  };
  const config = { name: 'store', maxBatch: 1, maxBatchBytes: 1_000_000 };
  const route = { config, send: async () => held, deliveredMessages: () => 0 };
  const replayOnce = createReplay(async () => letter, [route]);
  const faults = await Promise.all([...'abcdefghij'].map(replayOnce));
  expect(most).toBe(4);
  expect(
    faults.filter((fault) => fault?.problem.detail === 'too many replays at once'),
  ).toHaveLength(6);
});

test('the same one asked for twice at a time is sent once', async () => {
  let letters = 0;
  const letter: KeptDeadLetter = {
    route: 'store',
    bytes: 2,
    envelope: async () => '{"id":"a"}',
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

test.each<[string, ReplayVerdict, boolean]>([
  ['brings its handler down', { ...held, suspicious: true }, true],
  ['meets a handler that asks for time', { ...held, retryAfterMs: 1000 }, false],
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
  const letter: KeptDeadLetter = {
    route: 'store',
    bytes: 2,
    envelope: async () => '{"id":"a"}',
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
