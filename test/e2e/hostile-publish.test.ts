// Hostile input to the publish endpoint of the running stack, over real sockets: each case gets its exact status and
// code, nothing is sent by what is refused, what is accepted arrives byte for byte, and the next honest request is
// answered.
import { once } from 'node:events';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import mqtt, { type MqttClient } from 'mqtt';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import deployment from '../../causeway.config.ts';
import { parseDeployment } from '../../infra/config/config.ts';
import { parseSettings } from '../../infra/local/settings.ts';
import { type LocalStack, startStack } from '../../infra/local/stack.ts';
import { temporaryFolder } from '../support/brokers.ts';
import { freePort } from '../support/ports.ts';
import { until } from '../support/wait.ts';

const token = 'token-of-the-hostile-suite';
const publishPath = '/v1/publish';

interface Arrival {
  readonly topic: string;
  readonly payload: Buffer;
}

let stack: LocalStack;
let device: MqttClient;
let arrivals: Arrival[] = [];
let honest = 0;

beforeAll(async () => {
  const settings = parseSettings({
    PORT: String(await freePort()),
    MQTT_PORT: String(await freePort()),
    DATA_DIR: temporaryFolder('hostile'),
    API_TOKEN: token,
    REQUESTS_PER_SECOND: '100000',
  });
  const config = parseDeployment(deployment);
  if (!settings.ok || !config.ok) throw new Error(JSON.stringify({ settings, config }));
  stack = await startStack(settings.value, config.value, pino({ level: 'silent' }));
  device = await mqtt.connectAsync(stack.brokerUrl);
  device.on('message', (topic, payload) => arrivals.push({ topic, payload }));
  await device.subscribeAsync('#', { qos: 1 });
});
afterAll(async () => {
  await device?.endAsync(true);
  await stack?.stop();
});

interface Answer {
  readonly status: number;
  readonly body: {
    readonly code?: string;
    readonly status?: string | number;
    readonly errors?: readonly { readonly field: string; readonly rule: string }[];
    readonly results?: readonly { readonly status: number }[];
  };
}

async function post(
  body: string | Uint8Array,
  headers: Record<string, string> = {},
  path = publishPath,
): Promise<Answer> {
  const response = await fetch(`${stack.apiUrl}${path}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      ...headers,
    },
    body,
  });
  return { status: response.status, body: JSON.parse((await response.text()) || '{}') };
}

const request = (fields: Record<string, unknown>) =>
  JSON.stringify({ topic: 'hostile/a', payload: 'x', ...fields });

/** Sends an honest command and waits for it: all that was sent before has arrived by then. */
async function arrivedBeforeHonest(): Promise<Arrival[]> {
  honest++;
  const marker = `honest-${honest}`;
  const answer = await post(JSON.stringify({ topic: 'honest', payload: marker }));
  expect(answer).toMatchObject({ status: 200, body: { status: 'sent' } });
  await until(() => arrivals.some(({ payload }) => payload.toString() === marker));
  const before = arrivals.filter(({ topic }) => topic !== 'honest');
  arrivals = [];
  return before;
}

describe('refused: 400 with the field, and nothing is sent', () => {
  afterEach(async () => expect(await arrivedBeforeHonest()).toEqual([]));

  const properties = (count: number) => Array.from({ length: count }, (_, n) => [`n${n}`, 'v']);
  const cases: [name: string, body: string, field: string][] = [
    ['wildcard +', request({ topic: 'a/+/b' }), 'topic'],
    ['wildcard #', request({ topic: 'a/#' }), 'topic'],
    ['a wildcard inside a level', request({ topic: 'a+b' }), 'topic'],
    ['NUL in the topic', request({ topic: 'a\u0000b' }), 'topic'],
    ['control character in the topic', request({ topic: 'a\u0007b' }), 'topic'],
    ['CRLF in the topic', request({ topic: 'a\r\nb' }), 'topic'],
    ['C1 control character in the topic', request({ topic: 'a\u0085b' }), 'topic'],
    ['lone high surrogate', '{"topic":"a\\ud800b","payload":"x"}', 'topic'],
    ['lone low surrogate', '{"topic":"a\\udc00","payload":"x"}', 'topic'],
    ['swapped surrogates', '{"topic":"\\udc00\\ud800","payload":"x"}', 'topic'],
    ['noncharacter U+FFFE', request({ topic: 'a\ufffe' }), 'topic'],
    ['noncharacter U+FDD0', request({ topic: 'a\ufdd0' }), 'topic'],
    ['noncharacter of a higher plane', request({ topic: 'a\u{1ffff}' }), 'topic'],
    ['70,000 characters of topic', request({ topic: 'x'.repeat(70_000) }), 'topic'],
    [
      '65,536 bytes of topic in one-byte characters',
      request({ topic: 'x'.repeat(65_536) }),
      'topic',
    ],
    ['66,000 bytes of topic in 22,000 characters', request({ topic: '€'.repeat(22_000) }), 'topic'],
    [
      'a topic that is too long once the id is in it',
      request({ topic: `${'x'.repeat(65_500)}/{commandId}` }),
      'topic',
    ],
    ['$SYS', request({ topic: '$SYS/broker/version' }), 'topic'],
    ['$share', request({ topic: '$share/group/a' }), 'topic'],
    ['empty topic', request({ topic: '' }), 'topic'],
    ['topic as a number', request({ topic: 7 }), 'topic'],
    ['topic as null', request({ topic: null }), 'topic'],
    ['topic as a list', request({ topic: ['a'] }), 'topic'],
    ['no topic', '{"payload":"x"}', 'topic'],
    ['no payload', '{"topic":"a"}', 'payload'],
    ['two payloads', request({ payloadBase64: 'eA==' }), 'payload'],
    [
      'base64 that is none',
      request({ payload: undefined, payloadBase64: '@@@@' }),
      'payloadBase64',
    ],
    [
      'base64 without padding',
      request({ payload: undefined, payloadBase64: 'eA' }),
      'payloadBase64',
    ],
    ['base64url', request({ payload: undefined, payloadBase64: '_-_-' }), 'payloadBase64'],
    ['base64 as a number', request({ payload: undefined, payloadBase64: 1 }), 'payloadBase64'],
    ['qos "1"', request({ qos: '1' }), 'qos'],
    ['qos -1', request({ qos: -1 }), 'qos'],
    ['qos 3', request({ qos: 3 }), 'qos'],
    ['qos 0.5', request({ qos: 0.5 }), 'qos'],
    ['qos null', request({ qos: null }), 'qos'],
    ['qos 1e400', '{"topic":"a","payload":"x","qos":1e400}', 'qos'],
    ['retain "true"', request({ retain: 'true' }), 'retain'],
    ['retain 1', request({ retain: 1 }), 'retain'],
    ['expiry -1', request({ expirySeconds: -1 }), 'expirySeconds'],
    ['expiry 0', request({ expirySeconds: 0 }), 'expirySeconds'],
    ['expiry 2^32', request({ expirySeconds: 2 ** 32 }), 'expirySeconds'],
    ['expiry 1.5', request({ expirySeconds: 1.5 }), 'expirySeconds'],
    ['expiry "60"', request({ expirySeconds: '60' }), 'expirySeconds'],
    ['10,000 user properties', request({ userProperties: properties(10_000) }), 'userProperties'],
    ['101 user properties', request({ userProperties: properties(101) }), 'userProperties'],
    [
      'a user property of three',
      request({ userProperties: [['a', 'b', 'c']] }),
      'userProperties.0',
    ],
    ['user properties as an object', request({ userProperties: { a: 'b' } }), 'userProperties'],
    ['CRLF in a name', request({ userProperties: [['a\r\nb', 'c']] }), 'userProperties.0.0'],
    ['NUL in a value', request({ userProperties: [['a', '\u0000']] }), 'userProperties.0.1'],
    [
      'a name of 70,000',
      request({ userProperties: [['x'.repeat(70_000), '']] }),
      'userProperties.0.0',
    ],
    ['CRLF in the content type', request({ contentType: 'text/plain\r\nx: y' }), 'contentType'],
    ['wildcard response topic', request({ responseTopic: 'a/+' }), 'responseTopic'],
    ['response topic #', request({ responseTopic: '#' }), 'responseTopic'],
    ['response topic $SYS', request({ responseTopic: '$SYS/x' }), 'responseTopic'],
    ['empty response topic', request({ responseTopic: '' }), 'responseTopic'],
    [
      'correlation data of 65,536 bytes',
      request({ correlationDataBase64: Buffer.alloc(65_536).toString('base64') }),
      'correlationDataBase64',
    ],
    [
      'own correlation data for a reply',
      request({ correlationDataBase64: 'eA==', waitFor: 'reply' }),
      'correlationDataBase64',
    ],
    ['waitFor "ever"', request({ waitFor: 'ever' }), 'waitFor'],
    ['timeout 1e9', request({ timeoutSeconds: 1e9 }), 'timeoutSeconds'],
    ['timeout "NaN"', request({ timeoutSeconds: 'NaN' }), 'timeoutSeconds'],
    ['timeout null', request({ timeoutSeconds: null }), 'timeoutSeconds'],
    ['timeout 0', request({ timeoutSeconds: 0 }), 'timeoutSeconds'],
    ['timeout -1', request({ timeoutSeconds: -1 }), 'timeoutSeconds'],
    ['timeout 1e400', '{"topic":"a","payload":"x","timeoutSeconds":1e400}', 'timeoutSeconds'],
    ['an unknown field', request({ colour: 'red' }), 'colour'],
    ['__proto__ as a field', '{"topic":"a","payload":"x","__proto__":{"qos":0}}', '__proto__'],
    ['constructor as a field', '{"topic":"a","payload":"x","constructor":{}}', 'constructor'],
    ['a field of 3 KB', `{"topic":"a","payload":"x","${'k'.repeat(3072)}":1}`, 'k'.repeat(3072)],
    ['the topic twice', '{"topic":"a","topic":"b","payload":"x"}', 'topic'],
    ['the topic twice, once escaped', '{"topic":"a","t\\u006fpic":"b","payload":"x"}', 'topic'],
    [
      'payload nested 500,000 deep',
      `{"topic":"a","payload":${'['.repeat(500_000)}${']'.repeat(500_000)}}`,
      'payload',
    ],
    ['an array instead of an object', '[]', ''],
    ['null instead of an object', 'null', ''],
    ['a number instead of an object', '1e400', ''],
  ];
  test.each(cases)('%s', async (_, body, field) => {
    const answer = await post(body);
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid-request']);
    expect(answer.body.errors?.map((fault) => fault.field)).toContain(field);
  });

  test.each([
    ['an empty key', { 'idempotency-key': '' }],
    ['a key of 256 characters', { 'idempotency-key': 'k'.repeat(256) }],
    ['a key with a space', { 'idempotency-key': 'a b' }],
    ['a key that is not ASCII', { 'idempotency-key': 'ké' }],
  ])('%s', async (_, headers) => {
    const answer = await post(request({}), headers);
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid-request']);
    expect(answer.body.errors?.[0]?.field).toBe('idempotency-key');
  });

  test.each([
    ['NaN', '{"topic":"a","payload":"x","timeoutSeconds":NaN}'],
    ['an empty body', ''],
    ['half a body', '{"topic":"a","payload"'],
    ['a byte order mark', `\ufeff${request({})}`],
    ['two documents', `${request({})}${request({})}`],
    ['a body nested 1,000,000 deep', '['.repeat(1_000_000)],
    ['a comment', '{"topic":"a","payload":"x"}// c'],
    ['a raw control character', '{"topic":"a\u0001","payload":"x"}'],
  ])('%s is not JSON', async (_, body) => {
    expect(await post(body)).toMatchObject({ status: 400, body: { code: 'invalid-json' } });
  });

  test('invalid UTF-8 is not JSON', async () => {
    const body = Buffer.concat([
      Buffer.from('{"topic":"a","payload":"'),
      Buffer.from([0xff, 0xfe]),
      Buffer.from('"}'),
    ]);
    expect(await post(body)).toMatchObject({ status: 400, body: { code: 'invalid-json' } });
  });

  test.each([
    ['text/plain', { 'content-type': 'text/plain' }],
    ['a form', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['JSON by suffix only', { 'content-type': 'application/jsonx' }],
    ['a gzip bomb', { 'content-encoding': 'gzip' }],
    ['brotli', { 'content-encoding': 'br' }],
  ])('%s is not accepted', async (_, headers) => {
    // 16 KB, sent with the headers: what is refused unread is taken in for half a second at most (@hono/node-server),
    // and a busy machine may need longer for more.
    const body =
      'content-encoding' in headers ? gzipSync(Buffer.alloc(16 * 1024 * 1024)) : request({});
    expect(await post(body, headers)).toMatchObject({
      status: 415,
      body: { code: 'unsupported-media-type' },
    });
  });

  test.each([
    ['no token', {}],
    ['an empty token', { authorization: 'Bearer ' }],
    ['another token', { authorization: 'Bearer token-of-the-hostile-suit' }],
    ['the token and more', { authorization: `Bearer ${token}x` }],
    ['basic', { authorization: `Basic ${Buffer.from(`a:${token}`).toString('base64')}` }],
    ['a token of 10 KB', { authorization: `Bearer ${'x'.repeat(10_240)}` }],
    [
      'a JWT without signature',
      { authorization: 'Bearer eyJhbGciOiJub25lIn0.eyJzY29wZSI6ImFkbWluIn0.' },
    ],
  ])('%s', async (_, headers) => {
    const response = await fetch(`${stack.apiUrl}${publishPath}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: request({}),
    });
    const { code } = (await response.json()) as { code: string };
    expect([response.status, code]).toEqual([401, 'unauthorized']);
    expect(response.headers.get('www-authenticate')).toMatch(/^Bearer/);
  });

  test.each([
    '/v1/publish/',
    '/v1//publish',
    '/v1/publish/..',
    '/v1/%70ublish/x',
    '/v2/publish',
    '/v1/publish%00',
  ])('POST %s is no resource', async (path) => {
    expect(await post(request({}), {}, path)).toMatchObject({
      status: 404,
      body: { code: 'not-found' },
    });
  });

  test.each([
    ['an empty list', '[]', 400],
    [
      '1,001 commands',
      JSON.stringify(Array.from({ length: 1001 }, () => ({ topic: 'a', payload: 'x' }))),
      400,
    ],
    ['an object', request({}), 400],
    ['more than 5 MB', JSON.stringify([{ topic: 'a', payload: 'x'.repeat(5 * 1024 * 1024) }]), 413],
  ])('in bulk: %s', async (_, body, status) => {
    expect((await post(body, {}, '/v1/publish/bulk')).status).toBe(status);
  });
});

describe('body limit', () => {
  const bodyOf = (bytes: number) => {
    const empty = JSON.stringify({ topic: 'limit', payload: '' });
    return JSON.stringify({ topic: 'limit', payload: 'x'.repeat(bytes - empty.length) });
  };
  const limit = 1024 * 1024;

  test('1 MiB is sent whole, also in chunks', async () => {
    expect((await post(bodyOf(limit))).status).toBe(200);
    const [arrival] = await arrivedBeforeHonest();
    expect(arrival?.payload.byteLength).toBeGreaterThan(limit - 100);
  });

  test('one byte more is refused', async () => {
    expect(await post(bodyOf(limit + 1))).toMatchObject({
      status: 413,
      body: { code: 'body-too-large' },
    });
    expect(await arrivedBeforeHonest()).toEqual([]);
  });
});

describe('accepted, and arrives byte for byte', () => {
  const cases: [name: string, body: string, topic: string, payload: string][] = [
    ['1e400', '{"topic":"n","payload":1e400}', 'n', '1e400'],
    ['2^53 + 1', '{"topic":"n","payload":9007199254740993}', 'n', '9007199254740993'],
    ['-0', '{"topic":"n","payload":-0}', 'n', '-0'],
    ['duplicate keys', '{"topic":"n","payload":{"a":1,"a":2}}', 'n', '{"a":1,"a":2}'],
    [
      '__proto__ keys',
      '{"topic":"n","payload":{"__proto__":{"a":1}}}',
      'n',
      '{"__proto__":{"a":1}}',
    ],
    ['white space', '{"topic":"n","payload": [ 1 ,\n2 ] }', 'n', '[ 1 ,\n2 ]'],
    ['escapes', '{"topic":"n","payload":{"a":"\\u0041\\/"}}', 'n', '{"a":"\\u0041\\/"}'],
    [
      'keys of 3 KB',
      `{"topic":"n","payload":{"${'k'.repeat(3072)}":1}}`,
      'n',
      `{"${'k'.repeat(3072)}":1}`,
    ],
    ['null', '{"topic":"n","payload":null}', 'n', 'null'],
    ['false', '{"topic":"n","payload":false}', 'n', 'false'],
    ['an empty string', '{"topic":"n","payload":""}', 'n', ''],
    [
      '100 levels of payload',
      `{"topic":"n","payload":${'['.repeat(100)}${']'.repeat(100)}}`,
      'n',
      `${'['.repeat(100)}${']'.repeat(100)}`,
    ],
    ['a byte order mark in the topic', '{"topic":"\ufeffa","payload":"x"}', '\ufeffa', 'x'],
    ['look-alikes of wildcards', '{"topic":"a/＋/＃","payload":"x"}', 'a/＋/＃', 'x'],
    ['look-alikes of a slash', '{"topic":"a∕b／c","payload":"x"}', 'a∕b／c', 'x'],
    ['empty levels', '{"topic":"//a//","payload":"x"}', '//a//', 'x'],
    ['dots and percents', '{"topic":"a/../%2F/b","payload":"x"}', 'a/../%2F/b', 'x'],
    [
      'a topic of 65,535 bytes',
      JSON.stringify({ topic: 'x'.repeat(65_535), payload: 'x' }),
      'x'.repeat(65_535),
      'x',
    ],
    [
      'topics of decomposed characters',
      JSON.stringify({ topic: 'u\u0308', payload: 'x' }),
      'u\u0308',
      'x',
    ],
    [
      '100 user properties, one of them __proto__',
      request({
        topic: 'n',
        userProperties: [['__proto__', 'x'], ...Array.from({ length: 99 }, () => ['a', 'b'])],
      }),
      'n',
      'x',
    ],
    [
      'correlation data of 65,535 bytes',
      request({ topic: 'n', correlationDataBase64: Buffer.alloc(65_535).toString('base64') }),
      'n',
      'x',
    ],
  ];
  test.each(cases)('%s', async (_, body, topic, payload) => {
    expect((await post(body)).status).toBe(200);
    const arrived = await arrivedBeforeHonest();
    expect(arrived.map((arrival) => [arrival.topic, arrival.payload.toString()])).toEqual([
      [topic, payload],
    ]);
  });
});

test('200 levels of topic are legal, and more than brokers take: that command is refused alone', async () => {
  const answer = await post(request({ topic: `${'a/'.repeat(199)}a` }));
  expect([answer.status, answer.body.code]).toEqual([400, 'invalid-request']);
  expect(await arrivedBeforeHonest()).toEqual([]);
});

describe('on the wire', () => {
  /** Sends bytes on a connection of their own; what came back when it is closed, or after a second of silence. */
  async function raw(lines: readonly string[], body = '', end = true): Promise<string> {
    const { hostname, port } = new URL(stack.apiUrl);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    let text = '';
    socket.on('data', (chunk) => (text += chunk));
    socket.on('error', () => {});
    socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`);
    if (end) socket.end();
    socket.setTimeout(1000, () => socket.destroy());
    await once(socket, 'close');
    return text;
  }
  const head = [
    'POST /v1/publish HTTP/1.1',
    'Host: localhost',
    `Authorization: Bearer ${token}`,
    'Content-Type: application/json',
  ];
  const body = request({});

  test.each([
    [
      'a Content-Length that is too long',
      [...head, `Content-Length: ${body.length + 10}`],
      body,
      /^$|^HTTP\/1.1 4/,
    ],
    [
      'a Content-Length that is too short',
      [...head, 'Connection: close', `Content-Length: ${body.length - 5}`],
      body,
      /^HTTP\/1.1 400/,
    ],
    ['a negative Content-Length', [...head, 'Content-Length: -1'], body, /^HTTP\/1.1 400/],
    [
      'a Content-Length of 1e18',
      [...head, 'Content-Length: 1000000000000000000'],
      body,
      /^HTTP\/1.1 4(00|13)/,
    ],
    [
      'two Content-Lengths',
      [...head, 'Content-Length: 5', 'Content-Length: 6'],
      body,
      /^HTTP\/1.1 400/,
    ],
    [
      'Content-Length and chunks',
      [...head, 'Content-Length: 5', 'Transfer-Encoding: chunked'],
      `${body}`,
      /^HTTP\/1.1 400/,
    ],
    ['chunks that are none', [...head, 'Transfer-Encoding: chunked'], 'zz\r\n', /^HTTP\/1.1 400/],
    ['a header of 20 KB', [...head, `X: ${'x'.repeat(20_000)}`], '', /^HTTP\/1.1 431/],
    ['MQTT instead of HTTP', ['\u0010\u000c\u0000\u0004MQTT'], '', /^HTTP\/1.1 400/],
  ])('%s', async (_, lines, content, answer) => {
    expect(await raw(lines, content)).toMatch(answer);
    expect(await arrivedBeforeHonest()).toEqual([]);
  });
});
