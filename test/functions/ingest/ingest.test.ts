import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { listen } from '../../../bridge/base/listen.ts';
import {
  encodeEnvelope,
  encodeEvent,
  envelopeBatchType,
} from '../../../functions/contract/envelope.ts';
import type { Message } from '../../../functions/contract/message.ts';
import { notedHeader } from '../../../functions/contract/noted.ts';
import { sign } from '../../../functions/contract/signature.ts';
import { createIngest } from '../../../functions/ingest/ingest.ts';
import type { PutOptions, Store } from '../../../functions/ingest/storing/message-store.ts';
import { message } from '../../support/messages.ts';

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

/** A store in memory that fails what it is told to. */
class MemoryStore implements Store {
  readonly messages: Message[] = [];
  failing = new Set<string>();
  isWritable = true;
  duplicates = 0;
  notedMs: number | undefined;
  options: PutOptions = {};

  async canWrite() {
    return this.isWritable;
  }

  async put(messages: readonly Message[], options: PutOptions = {}) {
    this.options = options;
    if (this.duplicates > 0) options.onDuplicates?.(this.duplicates);
    if (this.notedMs !== undefined) options.onNoted?.(this.notedMs);
    this.messages.push(...messages.filter(({ id }) => !this.failing.has(id)));
    return messages
      .filter(({ id }) => this.failing.has(id))
      .map(({ id }) => ({ itemIdentifier: id, reason: 'throttled', retryable: true }));
  }
}

/** The parts of any answer that the tests look at. */
interface Answer {
  readonly batchItemFailures: { readonly reason: string }[];
  readonly code: string;
  readonly errors: unknown[];
}

async function post(
  body: string,
  { store = new MemoryStore(), headers = {} as Record<string, string>, query = '' } = {},
) {
  const app = createIngest({ store, secret, maxBatch: 3, maxBodyBytes: 100_000 });
  const response = await app.request(`/${query}`, {
    method: 'POST',
    body,
    headers: {
      'content-type': envelopeBatchType,
      ...sign(secret, 'msg_1', body, Date.now()),
      ...headers,
    },
  });
  const answer = (await response.json()) as Answer;
  const noted = response.headers.get(notedHeader);
  return { status: response.status, body: answer, store, noted };
}

const batchOf = (...messages: Message[]) => `[${messages.map(encodeEnvelope).join(',')}]`;

test('stores a batch and answers that nothing failed', async () => {
  const messages = [message(), message()];
  const { status, body, store } = await post(batchOf(...messages));
  expect([status, body]).toEqual([200, { batchItemFailures: [] }]);
  expect(store.messages.map(({ id }) => id)).toEqual(messages.map(({ id }) => id));
});

test('JSON of version 2 is stored as it was written, byte for byte', async () => {
  const store = new MemoryStore();
  const payloads = [' {"a":1e400,"a":9007199254740993}\n', '21.5', '{"data": [1] }'].map((text) =>
    Buffer.from(text),
  );
  const messages = payloads.map((payload) => message({ payload }));
  const body = `[${messages.map((one) => encodeEvent(one, 2)).join(', ')}]`;
  expect(await post(body, { store })).toMatchObject({ body: { batchItemFailures: [] } });
  expect(store.messages.map(({ payload }) => Buffer.from(payload))).toEqual(payloads);
});

test('names what the store could not take', async () => {
  const store = new MemoryStore();
  store.failing.add('lost');
  const { body } = await post(batchOf(message({ id: 'lost' }), message()), { store });
  expect(body).toEqual({
    batchItemFailures: [{ itemIdentifier: 'lost', reason: 'throttled', retryable: true }],
  });
});

test('says how many messages had been stored before', async () => {
  const store = new MemoryStore();
  store.duplicates = 2;
  const { body } = await post(batchOf(message(), message(), message()), { store });
  expect(body).toEqual({ batchItemFailures: [], duplicates: 2 });
});

test('a bad envelope fails alone, for good', async () => {
  const good = message();
  const bad = encodeEnvelope(message({ id: 'bad' })).replace(
    '"subject":"rooms/kitchen"',
    '"subject":"rooms/+"',
  );
  const { status, body, store } = await post(`[${encodeEnvelope(good)},${bad}]`);
  expect(status).toBe(200);
  expect(body).toMatchObject({ batchItemFailures: [{ itemIdentifier: 'bad', retryable: false }] });
  expect(store.messages).toHaveLength(1);
});

test('an empty batch asks whether anything can be stored', async () => {
  expect((await post('[]')).body).toEqual({ batchItemFailures: [] });
  const store = new MemoryStore();
  store.isWritable = false;
  expect(await post('[]', { store })).toMatchObject({
    status: 503,
    body: { code: 'database-unavailable' },
  });
});

test('a reason is short, so that the answer to 10,000 bad messages fits into one of Lambda', async () => {
  const pairs = JSON.stringify(Array.from({ length: 100 }, () => ['\ud800', 'x']));
  const event = { id: 'bad', subject: 'x\u0001', userproperties: pairs };
  const { body } = await post(JSON.stringify([event]));
  expect(body.batchItemFailures[0]?.reason.length).toBeLessThanOrEqual(200);
});

describe('the retention of a batch', () => {
  test.each([
    ['', undefined],
    ['?retentionDays=1', 1],
    ['?retentionDays=3650', 3650],
  ])('%s is %s days', async (query, days) => {
    const { status, store } = await post(batchOf(message()), { query });
    expect([status, store.options.retentionDays]).toEqual([200, days]);
  });

  test.each([
    ['?storage=boxes', 'storage'],
    ['?storage=packed&storage=packed', 'storage'],
    ['?retentionDays=0', 'retentionDays'],
    ['?retentionDays=3651', 'retentionDays'],
    ['?retentionDays=1.5', 'retentionDays'],
    ['?retentionDays=-1', 'retentionDays'],
    ['?retentionDays=1e2', 'retentionDays'],
    ['?retentionDays=', 'retentionDays'],
    ['?retentionDays=07', 'retentionDays'],
    ['?retentionDays=1&retentionDays=1', 'retentionDays'],
    ['?retentiondays=1', 'retentiondays'],
  ])('%s is no resource: the bridge holds, and nothing is stored', async (query, field) => {
    const { status, body, store } = await post(batchOf(message()), { query });
    expect([status, body.code]).toEqual([404, 'not-found']);
    expect(body.errors).toEqual([{ field, rule: expect.any(String) }]);
    expect(store.messages).toEqual([]);
  });
});

describe('fails alone, for good:', () => {
  const envelope = (attributes: object) =>
    JSON.stringify({ ...JSON.parse(encodeEnvelope(message({ id: 'bad' }))), ...attributes });
  test.each([
    ['a lone surrogate in the data', { data: '\ud800' }],
    ['one in the source', { source: '\udc00' }],
    ['one in the content type', { contenttype: 'a\ud800' }],
    ['one in the response topic', { responsetopic: 'a\ud800' }],
    ['one in a user property', { userproperties: '[["a","\\ud800"]]' }],
    ['user properties that are no pairs', { userproperties: '[["a"]]' }],
    ['deep nesting in user properties', { userproperties: '['.repeat(30_000) }],
    ['a day that there is not', { time: '2026-13-01T00:00:00.000000Z' }],
    ['data in two forms', { data_base64: 'aGk=' }],
    ['bad base64', { data: undefined, data_base64: 'aGk' }],
    ['a QoS that is no number', { qos: '1' }],
    ['a topic that is too long', { subject: 'ü'.repeat(32_768) }],
  ])('%s', async (_, attributes) => {
    const good = message();
    const { status, body, store } = await post(`[${envelope(attributes)},${encodeEnvelope(good)}]`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      batchItemFailures: [{ itemIdentifier: 'bad', retryable: false }],
    });
    expect(store.messages.map(({ id }) => id)).toEqual([good.id]);
  });
});

describe('refuses, and stores nothing of,', () => {
  const body = batchOf(message());
  test.each([
    ['an unsigned batch', body, { 'webhook-signature': '' }, 401, 'unauthorized'],
    [
      'a batch signed for another body',
      body,
      { ...sign(secret, 'msg_1', 'other', Date.now()) },
      401,
      'unauthorized',
    ],
    [
      'another media type',
      body,
      { 'content-type': 'application/json' },
      415,
      'unsupported-media-type',
    ],
    ['what is not JSON', '[{', {}, 400, 'invalid-json'],
    ['what is not an array', '{}', {}, 400, 'invalid-json'],
    ['an envelope without an id', '[{}]', {}, 400, 'invalid-request'],
    [
      'too many messages',
      batchOf(message(), message(), message(), message()),
      {},
      413,
      'body-too-large',
    ],
    ['a compressed body', body, { 'content-encoding': 'gzip' }, 415, 'unsupported-media-type'],
    [
      'a body larger than its Content-Length says',
      batchOf(message({ text: 'x'.repeat(100_001) })),
      { 'content-length': '10' },
      413,
      'body-too-large',
    ],
    [
      'a Content-Length that is too large',
      body,
      { 'content-length': '1000000000' },
      413,
      'body-too-large',
    ],
    ['nesting without end', '['.repeat(50_000), {}, 400, 'invalid-json'],
    ['deep nesting', `${'['.repeat(40_000)}${']'.repeat(40_000)}`, {}, 400, 'invalid-request'],
    ['a byte order mark', `\ufeff${body}`, {}, 400, 'invalid-json'],
    [
      'too large a body',
      batchOf(message({ text: 'x'.repeat(100_001) })),
      {},
      413,
      'body-too-large',
    ],
  ])('%s', async (_, text, headers, status, code) => {
    const result = await post(text, { headers: headers as Record<string, string> });
    expect(result).toMatchObject({ status, body: { code, type: `urn:causeway:problem:${code}` } });
    expect(result.store.messages).toEqual([]);
  });
});

test.each([
  [undefined, 'unknown'],
  ['1764411000000', 1_764_411_000_000],
  ['-1', 'unknown'],
  ['1e9', 'unknown'],
])(
  'what the bridge says was noted (%s) goes to the store, and what that notes to the bridge',
  async (given, notedBefore) => {
    const store = new MemoryStore();
    const headers = given === undefined ? {} : { [notedHeader]: given };
    const silent = await post(batchOf(message()), { store, headers });
    expect(silent.noted).toBeNull();
    expect(store.options.notedBefore).toBe(notedBefore);
    store.notedMs = 5;
    expect((await post(batchOf(message()), { store, headers })).noted).toBe('5');
  },
);

describe('over a socket, a wrong Content-Length', () => {
  const body = batchOf(message());
  const size = Buffer.byteLength(body);

  /** Sends the request as it is, ends the connection, and gives what came back. */
  async function send(url: string, ...lengths: (string | number)[]): Promise<string> {
    const { port, hostname } = new URL(url);
    const socket = connect(Number(port), hostname);
    const head = [
      'POST / HTTP/1.1',
      'host: ingest',
      `content-type: ${envelopeBatchType}`,
      ...lengths.map((length) => `content-length: ${length}`),
      ...Object.entries(sign(secret, 'msg_1', body, Date.now())).map((pair) => pair.join(': ')),
    ];
    let answer = '';
    socket.on('data', (data) => {
      answer += data;
    });
    socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
    await once(socket, 'close');
    return answer;
  }

  test.each([
    ['that is too small', [size - 1], /^HTTP\/1.1 40[01] /],
    ['that is too large', [size + 1], /^(HTTP\/1.1 400 |$)/],
    ['below zero', [-1], /^HTTP\/1.1 400 /],
    ['that is no number', ['1e2'], /^HTTP\/1.1 400 /],
    ['beside another', [size, size + 1], /^HTTP\/1.1 400 /],
  ])('%s stores nothing, and the next batch is taken', async (_, lengths, answer) => {
    const store = new MemoryStore();
    const { url, close } = await listen(createIngest({ store, secret }), '127.0.0.1', 0);
    expect(await send(url, ...lengths)).toMatch(answer);
    expect(store.messages).toEqual([]);
    expect(await send(url, size)).toMatch(/^HTTP\/1.1 200 /);
    expect(store.messages).toHaveLength(1);
    await close();
  });
});
