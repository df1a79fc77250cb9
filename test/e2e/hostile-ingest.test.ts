// Hostile input to the ingest function over a real socket: each case gets its exact status and code or failure,
// nothing is stored that should not be, and the next honest batch is stored.
import { gzipSync } from 'node:zlib';
import { QueryCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { listen } from '../../bridge/base/listen.ts';
import { envelopeBatchType } from '../../functions/contract/envelope.ts';
import { sign } from '../../functions/contract/signature.ts';
import { createIngest } from '../../functions/ingest/ingest.ts';
import { createStore } from '../../functions/ingest/storing/message-store.ts';
import { type Item, messagePartition } from '../../functions/table/item.ts';
import { startTable, type TestTable } from '../support/table.ts';

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const time = '2026-11-23T12:00:00.000000Z';

let table: TestTable;
let server: { url: string; close(): Promise<void> };
let honest = 0;

beforeAll(async () => {
  table = await startTable();
  const { client, tableName } = table;
  const store = createStore({ client, tableName, retentionDays: 30 });
  server = await listen(createIngest({ store, secret }), '127.0.0.1', 0);
});
afterAll(async () => {
  await server?.close();
  await table?.close();
});

interface Answer {
  readonly status: number;
  readonly body: {
    readonly code?: string;
    readonly errors?: readonly { readonly field: string }[];
    readonly batchItemFailures?: readonly {
      readonly itemIdentifier: string;
      readonly retryable?: boolean;
      readonly reason?: string;
    }[];
  };
}

interface Sent {
  readonly headers?: Record<string, string>;
  readonly query?: string;
  /** Seconds by which the signature is older than now. */
  readonly ageSeconds?: number;
  readonly secret?: string;
}

async function post(body: string | Uint8Array, sent: Sent = {}): Promise<Answer> {
  const signedAtMs = Date.now() - (sent.ageSeconds ?? 0) * 1000;
  const response = await fetch(`${server.url}/${sent.query ?? ''}`, {
    method: 'POST',
    headers: {
      'content-type': envelopeBatchType,
      ...sign(sent.secret ?? secret, 'a-delivery', body, signedAtMs),
      ...sent.headers,
    },
    body,
  });
  return { status: response.status, body: JSON.parse((await response.text()) || '{}') };
}

/** An envelope as the bridge sends it, with other attributes put over it. */
const event = (attributes: Record<string, unknown> = {}) => ({
  specversion: '1.0',
  type: 'causeway.mqtt.message.v1',
  id: 'hostile',
  source: 'mqtt://broker/causeway-store-0',
  subject: 'hostile',
  time,
  qos: 1,
  retain: false,
  datacontenttype: 'text/plain',
  data: 'x',
  ...attributes,
});
const batch = (...events: unknown[]) => JSON.stringify(events);

/** Everything stored but the registry and what honest batches left. */
async function stored(): Promise<string[]> {
  const keys: string[] = [];
  let after: Item | undefined;
  do {
    const { Items = [], LastEvaluatedKey } = await table.client.send(
      new ScanCommand({ TableName: table.tableName, ExclusiveStartKey: after }),
    );
    for (const { pk, sk } of Items) keys.push(`${pk?.S} ${sk?.S}`);
    after = LastEvaluatedKey;
  } while (after !== undefined);
  // `trial` is what an empty batch writes to find out whether ingest can store.
  return keys.filter((key) => !/^(topics|trial|m\/honest) /.test(key));
}

async function storesAnHonestBatch(): Promise<void> {
  honest++;
  const answer = await post(batch(event({ id: `honest-${honest}`, subject: 'honest' })));
  expect(answer).toEqual({ status: 200, body: { batchItemFailures: [] } });
  const { Count } = await table.client.send(
    new QueryCommand({
      TableName: table.tableName,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': { S: messagePartition('honest') } },
    }),
  );
  expect(Count).toBe(honest);
}

/** After each test of the group: it has stored nothing, and the next honest batch is stored. */
function nothingIsStored(): void {
  let before: string[] = [];
  beforeEach(async () => {
    before = await stored();
  });
  afterEach(async () => {
    expect(await stored()).toEqual(before);
    await storesAnHonestBatch();
  });
}

describe('refused whole, and nothing is stored', () => {
  nothingIsStored();

  const one = batch(event());
  const withoutSignature = {
    'webhook-id': '',
    'webhook-timestamp': '',
    'webhook-signature': '',
  };
  const cases: [
    name: string,
    body: string | Uint8Array,
    sent: Sent,
    status: number,
    code: string,
  ][] = [
    ['unsigned', one, { headers: withoutSignature }, 401, 'unauthorized'],
    [
      'signed with another secret',
      one,
      { secret: `whsec_${Buffer.alloc(32, 8).toString('base64')}` },
      401,
      'unauthorized',
    ],
    ['signed six minutes ago: a replay', one, { ageSeconds: 360 }, 401, 'unauthorized'],
    ['signed six minutes in the future', one, { ageSeconds: -360 }, 401, 'unauthorized'],
    [
      'a timestamp that is no number',
      one,
      { headers: { 'webhook-timestamp': 'now' } },
      401,
      'unauthorized',
    ],
    [
      'a timestamp of 1e400',
      one,
      { headers: { 'webhook-timestamp': '1e400' } },
      401,
      'unauthorized',
    ],
    [
      'another id than was signed',
      one,
      { headers: { 'webhook-id': 'other' } },
      401,
      'unauthorized',
    ],
    [
      'a signature of another version',
      one,
      { headers: { 'webhook-signature': 'v2,AAAA' } },
      401,
      'unauthorized',
    ],
    [
      'a thousand signatures',
      one,
      { headers: { 'webhook-signature': Array(1000).fill('v1,AA==').join(' ') } },
      401,
      'unauthorized',
    ],
    [
      'application/json',
      one,
      { headers: { 'content-type': 'application/json' } },
      415,
      'unsupported-media-type',
    ],
    [
      'a single event',
      JSON.stringify(event()),
      { headers: { 'content-type': 'application/cloudevents+json' } },
      415,
      'unsupported-media-type',
    ],
    [
      'a gzip bomb',
      gzipSync(Buffer.alloc(64 * 1024 * 1024)),
      { headers: { 'content-encoding': 'gzip' } },
      415,
      'unsupported-media-type',
    ],
    ['gzip without saying so', gzipSync(one), {}, 400, 'invalid-json'],
    ['an empty body', '', {}, 400, 'invalid-json'],
    ['half an array', '[{"id":"a"', {}, 400, 'invalid-json'],
    ['an object', JSON.stringify(event()), {}, 400, 'invalid-json'],
    ['NaN', '[NaN]', {}, 400, 'invalid-json'],
    ['invalid UTF-8', Buffer.from([0x5b, 0x22, 0xff, 0x22, 0x5d]), {}, 400, 'invalid-json'],
    [
      'nested 1,000,000 deep',
      '['.repeat(1_000_000) + ']'.repeat(1_000_000),
      {},
      400,
      'invalid-request',
    ],
    ['1,000,000 open brackets', '['.repeat(1_000_000), {}, 400, 'invalid-json'],
    [
      '10,001 messages',
      batch(...Array.from({ length: 10_001 }, (_, n) => event({ id: `${n}` }))),
      {},
      413,
      'body-too-large',
    ],
    ['a message without an id', batch(event({ id: undefined })), {}, 400, 'invalid-request'],
    ['an id that is a number', batch(event({ id: 7 })), {}, 400, 'invalid-request'],
    ['an empty id', batch(event({ id: '' })), {}, 400, 'invalid-request'],
    ['null as a message', '[null]', {}, 400, 'invalid-request'],
    ['a string as a message', '["hostile"]', {}, 400, 'invalid-request'],
    ['retentionDays of 0', one, { query: '?retentionDays=0' }, 404, 'not-found'],
    ['retentionDays of NaN', one, { query: '?retentionDays=NaN' }, 404, 'not-found'],
    ['retentionDays of 1e9', one, { query: '?retentionDays=1000000000' }, 404, 'not-found'],
    ['retentionDays twice', one, { query: '?retentionDays=1&retentionDays=2' }, 404, 'not-found'],
    ['an unknown parameter', one, { query: '?colour=red' }, 404, 'not-found'],
    ['another path', one, { query: 'x' }, 404, 'not-found'],
  ];
  test.each(cases)('%s', async (_, body, sent, status, code) => {
    const answer = await post(body, sent);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });

  test('a body of 6 MiB and one byte', async () => {
    const data = 'x'.repeat(6 * 1024 * 1024 - batch(event({ data: '' })).length + 1);
    const answer = await post(batch(event({ data })));
    expect([answer.status, answer.body.code]).toEqual([413, 'body-too-large']);
  });

  test('a batch of none is stored as none', async () => {
    expect(await post('[]')).toEqual({ status: 200, body: { batchItemFailures: [] } });
  });
});

describe('a message that cannot be stored fails alone and for good', () => {
  nothingIsStored();

  const cases: [name: string, attributes: Record<string, unknown>, reason: RegExp][] = [
    ['NUL in the topic', { subject: 'a\u0000' }, /subject/],
    ['wildcard topic', { subject: 'a/#' }, /subject.*wildcard/],
    ['empty topic', { subject: '' }, /subject/],
    ['lone surrogate in the topic', { subject: 'a\ud800' }, /subject/],
    ['no topic', { subject: undefined }, /subject/],
    ['a topic of 65,536 bytes', { subject: 'x'.repeat(65_536) }, /subject/],
    ['an id of 280 bytes', { id: 'i'.repeat(280) }, /id/],
    ['an id of 3 KB', { id: 'i'.repeat(3072) }, /id/],
    ['a time without microseconds', { time: '2026-11-23T12:00:00Z' }, /time/],
    ['a time that is none', { time: 'yesterday' }, /time/],
    ['a time of another zone', { time: '2026-11-23T12:00:00.000000+01:00' }, /time/],
    ['a month of 13', { time: '2026-13-23T12:00:00.000000Z' }, /time/],
    ['another type', { type: 'com.example' }, /type/],
    ['another specversion', { specversion: '0.3' }, /specversion/],
    ['qos "1"', { qos: '1' }, /qos/],
    ['qos 3', { qos: 3 }, /qos/],
    ['retain 1', { retain: 1 }, /retain/],
    ['packet id 0', { packetid: 0 }, /packetid/],
    ['packet id 65,536', { packetid: 65_536 }, /packetid/],
    ['data as an object', { data: {} }, /data/],
    ['data_base64 that is none', { data: undefined, data_base64: '***' }, /data_base64/],
    ['both forms of data', { data_base64: 'eA==' }, /data/],
    ['correlation data that is no base64', { correlationdata: '?' }, /correlationdata/],
    ['user properties that are no JSON', { userproperties: '[' }, /userproperties/],
    ['user properties that are no pairs', { userproperties: '[["a"]]' }, /userproperties/],
    ['an expiry of -1', { messageexpiry: -1 }, /messageexpiry/],
    ['an expiry of 2^32', { messageexpiry: 2 ** 32 }, /messageexpiry/],
    ['a source of 3 KB', { source: 's'.repeat(3072) }, /source/],
    [
      'properties larger than an item',
      { contenttype: 'c'.repeat(500_000) },
      /too large|contenttype/,
    ],
  ];
  test.each(cases)('%s', async (_, attributes, reason) => {
    const bad = event(attributes);
    const { status, body } = await post(batch(bad));
    expect(status).toBe(200);
    expect(body.batchItemFailures).toEqual([
      { itemIdentifier: bad.id, reason: expect.stringMatching(reason), retryable: false },
    ]);
  });

  test('one id with another payload: neither is stored, as no answer could tell them apart', async () => {
    const { status, body } = await post(batch(event({ data: 'a' }), event({ data: 'b' })));
    expect(status).toBe(200);
    expect(body.batchItemFailures).toMatchObject([{ itemIdentifier: 'hostile', retryable: false }]);
  });

  test('the good ones beside it are stored', async () => {
    honest++;
    const good = event({ id: `honest-${honest}`, subject: 'honest' });
    const { body } = await post(batch(event({ qos: 9 }), good));
    expect(body.batchItemFailures?.map(({ itemIdentifier }) => itemIdentifier)).toEqual([
      'hostile',
    ]);
  });
});

describe('odd, and stored as it is', () => {
  afterEach(storesAnHonestBatch);
  let count = 0;

  const keysOf = async (topic: string) =>
    (await stored()).filter((key) => key.startsWith(`${messagePartition(topic)} `));

  const cases: [name: string, attributes: Record<string, unknown>][] = [
    ['__proto__ as an attribute', JSON.parse('{"__proto__":{"id":"other"}}')],
    ['attributes that nobody knows', { colour: 'red', nested: { deep: [[[1]]] } }],
    ['large numbers', { big: 2 ** 53 + 2, huge: 1e300 }],
    ['a payload that looks like an item', { data: '{"pk":{"S":"token"},"sk":{"S":"x"}}' }],
    ['an id with separators', { id: 'a#b/c d' }],
    ['a payload of 400 KB - 1', { data: 'x'.repeat(400 * 1024 - 1) }],
    ['a payload of 400 KB', { data: 'x'.repeat(400 * 1024) }],
    ['a payload of 400 KB + 1', { data: 'x'.repeat(400 * 1024 + 1) }],
    ['10,000 user properties', { userproperties: JSON.stringify(Array(10_000).fill(['n', 'v'])) }],
    ['no data at all', { data: undefined }],
  ];
  test.each(cases)('%s', async (_, attributes) => {
    const subject = `odd/${count++}`;
    expect(await post(batch(event({ ...attributes, subject })))).toEqual({
      status: 200,
      body: { batchItemFailures: [] },
    });
    expect(await keysOf(subject)).toHaveLength(1);
  });

  test.each([
    ['6 MiB', 0],
    ['6 MiB less one byte', 1],
  ])('a body of %s', async (_, less) => {
    const subject = `odd/${count++}`;
    const data = 'x'.repeat(6 * 1024 * 1024 - less - batch(event({ subject, data: '' })).length);
    expect((await post(batch(event({ subject, data })))).body).toEqual({ batchItemFailures: [] });
    expect(await keysOf(subject)).toHaveLength(1);
  });

  test('one id twice with one payload is one message', async () => {
    const subject = `odd/${count++}`;
    await post(batch(event({ subject }), event({ subject })));
    expect(await keysOf(subject)).toHaveLength(1);
  });

  test('a batch that comes again within five minutes lands on the same item', async () => {
    const subject = `odd/${count++}`;
    for (let times = 0; times < 2; times++) {
      expect((await post(batch(event({ subject })), { ageSeconds: 200 })).status).toBe(200);
    }
    expect(await keysOf(subject)).toHaveLength(1);
  });

  test('two payloads of one id under two times are two messages', async () => {
    const subject = `odd/${count++}`;
    await post(batch(event({ subject }), event({ subject, time: '2026-11-23T12:00:01.000000Z' })));
    expect(await keysOf(subject)).toHaveLength(2);
  });
});
