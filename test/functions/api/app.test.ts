import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createApi } from '../../../functions/api/app.ts';
import type { DeliverResult } from '../../../functions/api/bridge.ts';
import { createReader } from '../../../functions/api/reader.ts';
import type { Command } from '../../../functions/contract/command.ts';
import { problem } from '../../../functions/contract/problem.ts';
import { createStore } from '../../../functions/ingest/store.ts';
import { message } from '../../support/messages.ts';
import { startTable, type TestTable } from '../../support/table.ts';

const token = 'a-token-for-the-tests';
const nowMs = Date.now();

/** The parts of any answer that the tests look at. */
interface Body {
  readonly messages: { readonly id: string; readonly payload: unknown }[];
  readonly topics: { readonly topic: string }[];
  readonly nextCursor?: string;
  readonly code: string;
  readonly errors: { readonly field: string; readonly rule: string }[];
}

const bodyOf = async (response: Response) => (await response.json()) as Body;

let table: TestTable;
const delivered: Command[] = [];
let deliverResult: DeliverResult | undefined;

beforeAll(async () => {
  table = await startTable();
});
afterAll(() => table.close());
beforeEach(() => {
  delivered.length = 0;
  deliverResult = undefined;
});

function api() {
  return createApi({
    reader: createReader({ client: table.client, tableName: table.tableName }),
    deliver: async (command) => {
      delivered.push(command);
      return (
        deliverResult ?? {
          ok: true,
          sent: { id: command.id, status: 'sent', sentAt: '2026-01-01T00:00:00Z' },
        }
      );
    },
    token,
  });
}

async function get(path: string) {
  const response = await api().request(path, { headers: { authorization: `Bearer ${token}` } });
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    body: await bodyOf(response),
  };
}

async function publish(body: unknown, headers: Record<string, string> = {}) {
  const response = await api().request('/v1/publish', {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: response.status, body: await bodyOf(response) };
}

const at = (offsetMs: number) => new Date(nowMs + offsetMs).toISOString().replace('Z', '000Z');

async function store(...messages: Parameters<typeof message>[0][]) {
  const target = createStore({
    client: table.client,
    tableName: table.tableName,
    retentionDays: 30,
  });
  expect(await target.put(messages.map((parts) => message(parts)))).toEqual([]);
}

describe('GET /v1/messages', () => {
  beforeAll(() =>
    store(
      ...Array.from({ length: 10 }, (_, index) => ({
        topic: 'list/a',
        id: `m${index}`,
        time: at(index * 1000),
      })),
    ),
  );
  const ids = (body: Body) => body.messages.map(({ id }) => id).join(' ');

  test('newest first', async () => {
    expect(ids((await get('/v1/messages?topic=list/a&limit=3')).body)).toBe('m9 m8 m7');
  });

  test('oldest first', async () => {
    expect(ids((await get('/v1/messages?topic=list/a&limit=3&order=oldest')).body)).toBe(
      'm0 m1 m2',
    );
  });

  test('pages with cursors to the end, without a gap or a repetition', async () => {
    let path = '/v1/messages?topic=list/a&limit=4';
    const seen: string[] = [];
    for (let pages = 0; pages < 5; pages++) {
      const { body } = await get(path);
      seen.push(ids(body));
      if (body.nextCursor === undefined) break;
      path = `/v1/messages?topic=list/a&limit=4&cursor=${body.nextCursor}`;
    }
    expect(seen).toEqual(['m9 m8 m7 m6', 'm5 m4 m3 m2', 'm1 m0']);
  });

  test('from is included, to is not', async () => {
    const { body } = await get(`/v1/messages?topic=list/a&from=${at(2000)}&to=${at(5000)}`);
    expect(ids(body)).toBe('m4 m3 m2');
  });

  test('an unknown topic has none', async () => {
    expect((await get('/v1/messages?topic=nothing')).body).toEqual({ messages: [] });
  });

  test('expired messages are not shown before DynamoDB deletes them', async () => {
    await store({ topic: 'list/old', time: '2020-01-01T00:00:00.000000Z' });
    expect((await get('/v1/messages?topic=list/old')).body).toEqual({ messages: [] });
  });

  test.each([
    ['', 'topic', /required/],
    ['?topic=', 'topic', /empty/],
    ['?topic=a/%2B', 'topic', /wildcards/],
    ['?topic=a&limit=0', 'limit', /1 to 1000/],
    ['?topic=a&limit=1e3', 'limit', /1 to 1000/],
    ['?topic=a&limit=1001', 'limit', /1 to 1000/],
    ['?topic=a&from=yesterday', 'from', /RFC 3339/],
    ['?topic=a&order=up', 'order', /newest or oldest/],
    ['?topic=a&topic=b', 'topic', /once/],
    ['?topic=a&colour=red', 'colour', /not a known field/],
    ['?topic=a&cursor=x', 'cursor', /nextCursor/],
  ])('refuses %s', async (query, field, rule) => {
    const { status, type, body } = await get(`/v1/messages${query}`);
    expect([status, type, body.code]).toEqual([400, 'application/problem+json', 'invalid-request']);
    expect(body.errors).toEqual([{ field, rule: expect.stringMatching(rule) }]);
  });
});

describe('by filter', () => {
  beforeAll(() =>
    store(
      { topic: 'home/a/temperature', time: at(0), text: '1' },
      { topic: 'home/a/temperature', time: at(1), text: '2' },
      { topic: 'home/b/temperature', time: at(0), text: '3' },
      { topic: 'home/b/humidity', time: at(0) },
      { topic: `home/${'long'.repeat(300)}/temperature`, time: at(0), text: '4' },
      { topic: 'homeless', time: at(0) },
    ),
  );

  test('GET /v1/messages/latest gives the newest of each topic', async () => {
    const { body } = await get('/v1/messages/latest?filter=home/%2B/temperature');
    expect(body.messages.map(({ payload }) => payload)).toEqual([2, 3, 4]);
  });

  test('GET /v1/topics lists what matches, page by page', async () => {
    const first = await get('/v1/topics?filter=home/%23&limit=3');
    expect(first.body.topics.map(({ topic }) => topic)).toEqual([
      'home/a/temperature',
      'home/b/humidity',
      'home/b/temperature',
    ]);
    const second = await get(`/v1/topics?filter=home/%23&limit=3&cursor=${first.body.nextCursor}`);
    expect(second.body.topics).toHaveLength(1);
    expect(second.body.nextCursor).toBeUndefined();
    expect((await get('/v1/topics?filter=homeless')).body.topics).toHaveLength(1);
  });

  test('refuses a bad filter', async () => {
    expect((await get('/v1/topics?filter=a%23')).body.errors).toMatchObject([{ field: 'filter' }]);
  });
});

describe('POST /v1/publish', () => {
  test('hands the command to the bridge and answers with its result', async () => {
    const { status, body } = await publish({
      topic: 'd/1/cmd',
      payload: { on: true },
      qos: 0,
      retain: true,
    });
    expect([status, body]).toEqual([
      200,
      {
        id: delivered[0]?.id,
        status: 'sent',
        sentAt: '2026-01-01T00:00:00Z',
        topic: 'd/1/cmd',
        qos: 0,
      },
    ]);
    expect(delivered).toMatchObject([{ topic: 'd/1/cmd', qos: 0, retain: true }]);
    expect(Buffer.from(delivered[0]?.payloadBase64 ?? '', 'base64').toString()).toBe('{"on":true}');
  });

  test.each([
    [{ payload: 'text' }, 'text'],
    [{ payload: 21.5 }, '21.5'],
    [{ payload: null }, 'null'],
    [{ payload: JSON.parse('{"__proto__":{"x":1}}') }, '{"__proto__":{"x":1}}'],
    [{ payload: '' }, ''],
    [{ payloadBase64: 'aGk=' }, 'hi'],
    [{ payloadBase64: '' }, ''],
  ])('sends the payload of %j', async (payload, text) => {
    expect((await publish({ topic: 'a', ...payload })).status).toBe(200);
    expect(Buffer.from(delivered[0]?.payloadBase64 ?? '?', 'base64').toString()).toBe(text);
  });

  test.each([
    ['broker-refused', 502],
    ['bridge-unavailable', 503],
    ['broker-unavailable', 503],
    ['puback-timeout', 504],
  ] as const)('passes on %s as %d', async (code, status) => {
    deliverResult = { ok: false, problem: problem(code) };
    expect(await publish({ topic: 'a', payload: 'x' })).toMatchObject({ status, body: { code } });
  });

  const payload = 'x';
  test.each([
    [{ payload }, 'topic'],
    [{ topic: '', payload }, 'topic'],
    [{ topic: 'a/+', payload }, 'topic'],
    [{ topic: 'a/#', payload }, 'topic'],
    [{ topic: 'a\u0000', payload }, 'topic'],
    [{ topic: '\ud800', payload }, 'topic'],
    [{ topic: '$SYS/x', payload }, 'topic'],
    [{ topic: 'ü'.repeat(32_768), payload }, 'topic'],
    [{ topic: 7, payload }, 'topic'],
    [{ topic: 'a' }, 'payload'],
    [{ topic: 'a', payload, payloadBase64: 'aGk=' }, 'payload'],
    [{ topic: 'a', payloadBase64: 'aGk' }, 'payloadBase64'],
    [{ topic: 'a', payloadBase64: '%%%%' }, 'payloadBase64'],
    [{ topic: 'a', payload, qos: 3 }, 'qos'],
    [{ topic: 'a', payload, qos: '1' }, 'qos'],
    [{ topic: 'a', payload, qos: -1 }, 'qos'],
    [{ topic: 'a', payload, retain: 'yes' }, 'retain'],
    [{ topic: 'a', payload, expirySeconds: 2 ** 32 }, 'expirySeconds'],
    [{ topic: 'a', payload, userProperties: [['a']] }, 'userProperties.0'],
    [{ topic: 'a', payload, userProperties: [['a', '\u0000']] }, 'userProperties.0.1'],
    [{ topic: 'a', payload, contentType: '\ud800' }, 'contentType'],
    [{ topic: 'a', payload, colour: 'red' }, 'colour'],
    [[], ''],
    ['"text"', ''],
  ])('refuses %j', async (body, field) => {
    const result = await publish(body);
    expect(result).toMatchObject({ status: 400, body: { code: 'invalid-request' } });
    expect(result.body.errors.map((fault) => fault.field)).toContain(field);
    expect(delivered).toEqual([]);
  });

  test.each([
    ['{', {}, 400, 'invalid-json'],
    [
      '{"topic":"a","payload":"x"}',
      { 'content-type': 'text/plain' },
      415,
      'unsupported-media-type',
    ],
    [JSON.stringify({ topic: 'a', payload: 'x'.repeat(1024 * 1024) }), {}, 413, 'body-too-large'],
    ['{"topic":"a","payload":"x"}', { authorization: '' }, 401, 'unauthorized'],
    ['{"topic":"a","payload":"x"}', { authorization: 'Bearer wrong' }, 401, 'unauthorized'],
    ['{"topic":"a","payload":"x"}', { authorization: `Basic ${token}` }, 401, 'unauthorized'],
    ['{"topic":"a","payload":"x"}', { authorization: 'Bearer ü' }, 401, 'unauthorized'],
  ])('refuses a request %#', async (body, headers, status, code) => {
    expect(await publish(body, headers as Record<string, string>)).toMatchObject({
      status,
      body: { code },
    });
    expect(delivered).toEqual([]);
  });
});

test('what does not exist is a problem document too', async () => {
  expect(await get('/v1/nothing')).toMatchObject({ status: 404, body: { code: 'not-found' } });
});

test('a database that does not answer is said', async () => {
  const lost = createApi({
    reader: createReader({ client: table.client, tableName: 'missing' }),
    deliver: async () => ({ ok: false, problem: problem('internal') }),
    token,
  });
  const response = await lost.request('/v1/topics', {
    headers: { authorization: `Bearer ${token}` },
  });
  expect([response.status, (await bodyOf(response)).code]).toEqual([503, 'database-unavailable']);
});
