// Who sends a request, as a handler sees it: bearer and basic credentials, beside a signature, from config or secrets.
import { createHmac } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { expect, test } from 'vitest';
import type { Secrets } from '../../../bridge/base/secrets.ts';
import { type Consumed, startConsumer } from '../../support/consumer.ts';
import { message } from '../../support/messages.ts';
import { openSink, type RouteInput, routeFaults, send } from './routes.ts';

const secrets = [1, 2, 3].map((fill) => `whsec_${Buffer.alloc(32, fill).toString('base64')}`);
const [oldSecret = '', newSecret = '', foreignSecret = ''] = secrets;

class MemorySecrets implements Secrets {
  readonly values = new Map<string, string>();
  readonly doubted: string[] = [];

  async read(name: string) {
    const value = this.values.get(name);
    if (value === undefined) throw new Error(`the secret ${name} cannot be read`);
    return value;
  }

  doubt(name: string) {
    this.doubted.push(name);
  }
}

function secretsOf(values: Record<string, string>): MemorySecrets {
  const store = new MemorySecrets();
  for (const [name, value] of Object.entries(values)) store.values.set(name, value);
  return store;
}

const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

test.each<[string, RouteInput, Record<string, string>, string]>([
  ['a token', { bearerToken: 'abc.def-1~+/=' }, {}, 'Bearer abc.def-1~+/='],
  ['a token by name', { bearerSecret: 't' }, { t: 'hunter2\n' }, 'Bearer hunter2'],
  [
    'credentials',
    { basic: { username: 'bridge', password: 'pa:ss wörd' } },
    {},
    basic('bridge:pa:ss wörd'),
  ],
  [
    'credentials by name',
    { basicSecret: 'b' },
    { b: '{"username":"u","password":""}' },
    basic('u:'),
  ],
])('%s, alone and beside a signature', async (_, route, values, authorization) => {
  const consumer = await startConsumer();
  for (const signed of [{}, { secret: oldSecret }]) {
    const sink = await openSink(
      { url: consumer.url, format: 'raw', ...route, ...signed },
      { secrets: secretsOf(values) },
    );
    await send(sink, message());
    const headers = consumer.consumed.at(-1)?.headers;
    expect(headers?.authorization).toBe(authorization);
    expect('webhook-signature' in (headers ?? {})).toBe('secret' in signed);
  }
});

test('a token that is refused is read again, and the next request has the new one', async () => {
  const consumer = await startConsumer();
  const store = secretsOf({ t: 'old', hook: oldSecret });
  const sink = await openSink(
    { url: consumer.url, bearerSecret: 't', secretName: 'hook' },
    { secrets: store },
  );
  consumer.answer = ({ headers }, response) =>
    void response.writeHead(headers.authorization === 'Bearer new' ? 200 : 401).end();
  expect(await send(sink, message())).toMatchObject({ status: 401, verdict: { broken: true } });
  expect(store.doubted.sort()).toEqual(['hook', 't']);
  store.values.set('t', 'new');
  expect(await send(sink, message())).toMatchObject({ verdict: { kind: 'answered' } });
});

test.each<[string, RouteInput, Record<string, string>, RegExp]>([
  ['is missing', { bearerSecret: 't' }, {}, /^the secret t cannot be read$/],
  [
    'is no token',
    { bearerSecret: 't' },
    { t: 'hunter2\r\nx-evil: 1' },
    /^the secret t must be a token/,
  ],
  ['is empty', { bearerSecret: 't' }, { t: ' ' }, /^the secret t must be a token/],
  ['is no JSON', { basicSecret: 'b' }, { b: 'hunter2' }, /^the secret b must be a JSON object/],
  ['has another form', { basicSecret: 'b' }, { b: '["hunter2"]' }, /^the secret b must be a JSON/],
  [
    'has a colon in its name',
    { basicSecret: 'b' },
    { b: '{"username":"a:hunter2","password":"x"}' },
    /^the secret b must be a JSON/,
  ],
])(
  'a secret that %s holds the route; nothing is sent, and nothing secret said',
  async (_, route, values, reason) => {
    const consumer = await startConsumer();
    const sink = await openSink({ url: consumer.url, ...route }, { secrets: secretsOf(values) });
    const attempt = await send(sink, message());
    expect(attempt).toMatchObject({
      verdict: { kind: 'hold', reason: expect.stringMatching(reason) },
    });
    expect(JSON.stringify(attempt)).not.toContain('hunter2');
    expect(consumer.connections).toBe(0);
  },
);

/** Standard Webhooks as its specification has it, over the bytes. */
function holds(secret: string, { headers, body }: Consumed): boolean {
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.`;
  const expected = createHmac('sha256', key).update(signed).update(body).digest('base64');
  return String(headers['webhook-signature']).split(' ').includes(`v1,${expected}`);
}

test.each(['cloudevents-batch', 'cloudevents', 'cloudevents-binary', 'raw'] as const)(
  'with two secrets, either verifies a request of format %s',
  async (format) => {
    const consumer = await startConsumer();
    const store = secretsOf({ hook: JSON.stringify([newSecret, oldSecret]) });
    const sink = await openSink(
      { url: consumer.url, format, secretName: 'hook' },
      { secrets: store },
    );
    for (const text of ['{"celsius":21.5}', 'é', '']) await send(sink, message({ text }));
    for (const { headers, body } of consumer.consumed) {
      const verify = (secret: string) =>
        new Webhook(secret).verify(body, headers as Record<string, string>, { jsonParse: false });
      expect(() => [verify(oldSecret), verify(newSecret)]).not.toThrow();
      expect(() => verify(foreignSecret)).toThrow('No matching signature found');
    }
    // The library reads bytes as text; the signature is over the bytes.
    await send(sink, message({ payload: Buffer.from([0xff, 0, 0x80]) }));
    const last = consumer.consumed.at(-1);
    expect(
      [oldSecret, newSecret, foreignSecret].map((secret) => last && holds(secret, last)),
    ).toEqual([true, true, false]);
  },
);

test('the id of a request is the same when its message is sent again', async () => {
  const consumer = await startConsumer();
  const sink = await openSink({ url: consumer.url, format: 'cloudevents', secret: oldSecret });
  const one = message();
  for (let count = 0; count < 2; count++) await send(sink, one);
  await send(sink, message());
  const ids = consumer.consumed.map(({ headers }) => headers['webhook-id']);
  expect([ids[0] === ids[1], new Set(ids).size]).toEqual([true, 2]);
});

test.each<[RouteInput, string]>([
  [{ bearerToken: 'a', bearerSecret: 'b' }, 'bearerToken'],
  [{ basic: { username: 'a', password: 'b' }, bearerSecret: 'b' }, 'basic'],
  [{ basicSecret: 'a', bearerSecret: 'b' }, 'basicSecret'],
  [{ auth: 'aws-iam', bearerToken: 'a' }, 'bearerToken'],
  [{ auth: 'aws-iam', secretName: 'a' }, 'secretName'],
  [{ secretName: 'a', secret: oldSecret, bearerToken: 'b' }, 'secret'],
])('%j is one way too many', (route, field) => {
  expect(routeFaults(route)).toEqual([expect.stringMatching(`^${field}: must not stand beside `)]);
});

test.each(['', 'a b', 'a\nb', 'é', 'x'.repeat(4097)])('%j is no token', (bearerToken) => {
  expect(routeFaults({ bearerToken })).toEqual([expect.stringMatching(/^bearerToken: /)]);
});
