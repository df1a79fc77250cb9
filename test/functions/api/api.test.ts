// What every request meets before and after its operation: authentication, limits, headers, errors.

import { setTimeout as delay } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { createAuthenticate, staticToken } from '../../../functions/api/access/authentication.ts';
import { bearerToken } from '../../../functions/api/access/bearer.ts';
import { IssuerUnavailableError } from '../../../functions/api/access/jwt.ts';
import { principalOf } from '../../../functions/api/access/scopes.ts';
import { type ApiOptions, createApi } from '../../../functions/api/api.ts';
import type { Cursors } from '../../../functions/api/interface/cursor.ts';
import { messageEndpoints } from '../../../functions/api/messages/endpoints.ts';
import { createReader, type Reader } from '../../../functions/api/messages/reader.ts';
import { startTable } from '../../support/table.ts';

const token = 'a-token-for-the-tests';
const authorization = `Bearer ${token}`;

const noTopics = { topics: async () => ({ entries: [] }) } as unknown as Reader;

/** An api that has messages and topics alone. */
function api({ reader = noTopics, ...options }: Partial<ApiOptions> & { reader?: Reader } = {}) {
  return createApi({
    endpoints: messageEndpoints(reader, {} as Cursors),
    authenticate: createAuthenticate({ fixed: staticToken(token) }),
    ...options,
  });
}

const getTopics = (app: ReturnType<typeof api>, headers: Record<string, string>, env?: object) =>
  app.request('/v1/topics', { headers }, env);

const codeOf = async (response: Response) => ((await response.json()) as { code: string }).code;

describe('authentication', () => {
  test.each([authorization, `bearer ${token}`, `BEARER   ${token}`])('takes %s', async (value) => {
    expect((await getTopics(api(), { authorization: value })).status).toBe(200);
  });

  const refusalOf = async (value: string | undefined) => {
    const response = await getTopics(api(), value === undefined ? {} : { authorization: value });
    const challenge = response.headers.get('www-authenticate');
    return {
      status: response.status,
      challenge,
      headers: [...response.headers],
      text: await response.text(),
    };
  };

  test.each([
    '',
    'Bearer',
    'Bearer ',
    `Bearer ${token} x`,
    `Bearer ${token},Bearer ${token}`,
    `Bearer "${token}"`,
    `Basic ${token}`,
    token,
    `Bearer${token}`,
    `Bearer\t${token}`,
    'Bearer ü',
  ])('%j holds no token', async (value) => {
    const { status, challenge, text } = await refusalOf(value);
    expect([status, challenge]).toEqual([401, 'Bearer']);
    expect(JSON.parse(text)).toMatchObject({
      code: 'unauthorized',
      detail: expect.stringMatching(/^no token/),
    });
  });

  test.each([
    'Bearer wrong',
    `Bearer ${token}x`,
    'Bearer causeway_0123456789abcdef_x',
    'Bearer a.b.c',
  ])('refuses %j, always in the same words', async (value) => {
    const refusal = await refusalOf(value);
    expect(refusal).toEqual(await refusalOf('Bearer another'));
    expect([refusal.status, refusal.challenge]).toEqual([401, 'Bearer error="invalid_token"']);
    expect(JSON.parse(refusal.text).detail).toMatch(/^unknown token/);
  });

  test('a caller without the header is told to send it', async () => {
    const { status, text } = await refusalOf(undefined);
    expect([status, JSON.parse(text).detail]).toEqual([401, expect.stringContaining('send')]);
  });

  test.each([
    ['POST', '/v1/topics', 'GET, HEAD'],
    ['DELETE', '/v1/messages', 'GET, HEAD'],
    ['GET', '/v1/messages/query', 'POST'],
    ['PATCH', '/v1/topics', 'GET, HEAD'],
    ['POST', '/docs', 'GET, HEAD'],
  ])('%s %s is a method that the resource does not have', async (method, path, allow) => {
    const response = await api().request(path, { method, headers: { authorization } });
    expect([response.status, response.headers.get('allow')]).toEqual([405, allow]);
    expect(await codeOf(response)).toBe('method-not-allowed');
  });

  test.each(['/v1/nothing', '/v1/topics/', '/nothing'])('%s is nothing', async (path) => {
    const response = await api().request(path, { method: 'POST', headers: { authorization } });
    expect(response.status).toBe(404);
  });

  test.each(['Bearer a b', 'Bearer a,b', 'Bearer a=b', 'Bearer =', 'Bearer ä', 'Bearer a\n'])(
    '%j has no token',
    (header) => {
      expect(bearerToken(header)).toBeUndefined();
    },
  );

  test('a header that is too long is not looked at', () => {
    expect(bearerToken(`Bearer ${'a'.repeat(8185)}`)).toHaveLength(8185);
    expect(bearerToken(`Bearer ${'a'.repeat(8186)}`)).toBeUndefined();
  });

  test.each([
    ['GET', '/v1/topics'],
    ['HEAD', '/v1/topics'],
    ['OPTIONS', '/v1/topics'],
    ['PURGE', '/v1/topics'],
    ['GET', '/v1/nothing'],
    ['GET', '/v1/'],
    ['GET', '/%76%31/topics'],
    ['POST', '/v1/publish'],
    ['DELETE', '/v1/dead-letters/x'],
  ])('comes first: %s %s', async (method, path) => {
    expect((await api().request(path, { method })).status).toBe(401);
  });

  test.each(['/V1/topics', '//v1/topics', '/v1%2Ftopics', '/./x/../v2/topics', '/v1topics'])(
    '%s is no way around it',
    async (path) => {
      expect((await api().request(new Request(`http://localhost${path}`))).status).toBe(404);
    },
  );

  test('the principal is that of the request, also when many come at once', async () => {
    const seen: string[] = [];
    const reader = {
      async topics({ isVisible }: { isVisible: (topic: string) => boolean }) {
        await delay(1);
        seen.push(['a', 'b'].filter(isVisible).join());
        return { entries: [] };
      },
    } as unknown as Reader;
    const app = api({
      reader,
      authenticate: async (text) =>
        principalOf(text, [{ kind: 'topics', right: 'read', filter: text }]),
    });
    const callers = Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? 'a' : 'b'));
    await Promise.all(callers.map((name) => getTopics(app, { authorization: `Bearer ${name}` })));
    expect(seen.sort()).toEqual(callers.sort());
  });
});

describe('compression', () => {
  const reader = {
    topics: async () => ({ entries: Array(100).fill({ topic: 'a', lastSeen: '', messages: 1 }) }),
  } as unknown as Reader;
  const asked = (encoding: string, options = {}) =>
    getTopics(api({ reader, ...options }), { authorization, 'accept-encoding': encoding });

  test('answers are compressed for who takes it', async () => {
    const plain = await (await asked('identity', { compresses: true })).text();
    const response = await asked('gzip, br', { compresses: true });
    expect(response.headers.get('content-encoding')).toBe('gzip');
    expect(response.headers.get('vary')).toMatch(/accept-encoding/i);
    const bytes = Buffer.from(await response.arrayBuffer());
    expect(gunzipSync(bytes).toString()).toBe(plain);
    expect(bytes.byteLength).toBeLessThan(plain.length / 5);
  });

  test.each(['', 'identity', 'gzip;q=0', 'br'])('not for %j', async (encoding) => {
    const response = await asked(encoding, { compresses: true });
    expect(response.headers.get('content-encoding')).toBeNull();
  });

  test('nor where nothing is', async () => {
    expect((await asked('gzip')).headers.get('content-encoding')).toBeNull();
  });

  test('a document that has not changed is not sent again, compressed or not', async () => {
    const app = api({ compresses: true });
    const headers = { 'accept-encoding': 'gzip' };
    const first = await app.request('/openapi.json', { headers });
    expect(first.headers.get('content-encoding')).toBe('gzip');
    expect(first.headers.get('cache-control')).toBe('public, max-age=3600');
    const etag = first.headers.get('etag') ?? '';
    const again = await app.request('/openapi.json', {
      headers: { ...headers, 'if-none-match': etag },
    });
    expect(again.status).toBe(304);
  });
});

describe('rate limits', () => {
  // Their seconds do not pass by themselves.
  beforeEach(() => {
    vi.useFakeTimers();
    return () => vi.useRealTimers();
  });

  test('one caller has so many requests a second', async () => {
    const app = api({ rateLimit: { requestsPerSecond: 2 } });
    const first = await getTopics(app, { authorization });
    expect(first.headers.get('ratelimit-policy')).toBe('"requests";q=2;w=1');
    expect(first.headers.get('ratelimit')).toBe('"requests";r=1;t=1');
    expect((await getTopics(app, { authorization })).status).toBe(200);
    const third = await getTopics(app, { authorization });
    expect([third.status, third.headers.get('retry-after')]).toEqual([429, '1']);
    expect(await codeOf(third)).toBe('rate-limited');
    vi.advanceTimersByTime(1000);
    expect((await getTopics(app, { authorization })).status).toBe(200);
  });

  test('each caller has their own', async () => {
    const app = api({
      rateLimit: { requestsPerSecond: 1 },
      authenticate: async (text) => principalOf(text, []),
    });
    for (const name of ['a', 'b'])
      expect((await getTopics(app, { authorization: `Bearer ${name}` })).status).toBe(200);
    expect((await getTopics(app, { authorization: 'Bearer a' })).status).toBe(429);
  });

  test('wrong tokens of one address are not looked at any more', async () => {
    const authenticate = vi.fn(staticToken(token));
    const app = api({ authenticate, rateLimit: { failuresPerSecond: 3 } });
    const from = (sourceIp: string) => ({ requestContext: { http: { sourceIp } } });
    const statuses: number[] = [];
    for (let count = 0; count < 6; count++) {
      const response = await getTopics(
        app,
        { authorization: `Bearer x${count}`, 'x-forwarded-for': `203.0.113.${count}` },
        from('198.51.100.1'),
      );
      statuses.push(response.status);
    }
    expect(statuses).toEqual([401, 401, 401, 429, 429, 429]);
    expect(authenticate).toHaveBeenCalledTimes(3);
    expect((await getTopics(app, { authorization }, from('198.51.100.1'))).status).toBe(429);
    expect((await getTopics(app, { authorization }, from('198.51.100.2'))).status).toBe(200);
    // Known as good by now, wherever it comes from.
    expect((await getTopics(app, { authorization }, from('198.51.100.1'))).status).toBe(200);
  });

  test('requests without a token do not count', async () => {
    const app = api({ rateLimit: { failuresPerSecond: 1 } });
    for (let count = 0; count < 3; count++) expect((await getTopics(app, {})).status).toBe(401);
    expect((await getTopics(app, { authorization })).status).toBe(200);
  });
});

describe('headers', () => {
  const expected = {
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'strict-transport-security': expect.stringContaining('max-age='),
  };

  test.each([
    [200, '/v1/topics', { authorization }],
    [400, '/v1/topics?filter=a%23', { authorization }],
    [401, '/v1/topics', {}],
    [404, '/v1/nothing', { authorization }],
  ])('an answer with %d is neither kept nor run', async (status, path, headers) => {
    const response = await api().request(path, { headers: headers as Record<string, string> });
    expect(response.status).toBe(status);
    expect(Object.fromEntries(response.headers)).toMatchObject(expected);
  });

  test('nor is that to a failure', async () => {
    const response = await getTopics(api({ reader: {} as Reader }), { authorization });
    expect(response.status).toBe(500);
    expect(Object.fromEntries(response.headers)).toMatchObject(expected);
  });

  test('the page of the documentation may use its own style', async () => {
    const { status, headers } = await api().request('/docs');
    expect(status).toBe(200);
    expect(headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; style-src 'sha256-/,
    );
  });
});

describe('pages of other origins', () => {
  const origin = 'https://console.example.com';
  const preflight = (app: ReturnType<typeof api>, from: string) =>
    app.request('/v1/publish', {
      method: 'OPTIONS',
      headers: { origin: from, 'access-control-request-method': 'POST' },
    });

  test('may do nothing by default', async () => {
    for (const response of [
      await preflight(api(), origin),
      await getTopics(api(), { authorization, origin }),
    ])
      expect([...response.headers.keys()].join()).not.toContain('access-control');
  });

  test('may call where they are named', async () => {
    const app = api({ corsOrigins: [origin] });
    const asked = await preflight(app, origin);
    expect(asked.status).toBe(204);
    expect(Object.fromEntries(asked.headers)).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-methods': 'GET,POST,DELETE',
      'access-control-allow-headers': 'authorization,content-type,idempotency-key,last-event-id',
    });
    expect(asked.headers.has('access-control-allow-credentials')).toBe(false);
    for (const headers of [{ authorization, origin }, { origin }]) {
      const response = await getTopics(app, headers as Record<string, string>);
      expect(response.headers.get('access-control-allow-origin')).toBe(origin);
      expect(response.headers.get('access-control-expose-headers')).toContain('retry-after');
      expect(response.headers.get('vary')).toContain('Origin');
    }
  });

  test.each([
    'https://console.example.com.evil.example',
    'https://evil.example',
    'http://console.example.com',
    'null',
  ])('not from %s', async (other) => {
    const app = api({ corsOrigins: [origin] });
    for (const response of [
      await preflight(app, other),
      await getTopics(app, { authorization, origin: other }),
    ])
      expect(response.headers.has('access-control-allow-origin')).toBe(false);
  });
});

describe('errors', () => {
  test('what does not exist is a problem document too', async () => {
    for (const path of ['/v1/nothing', '/nothing']) {
      const response = await api().request(path, { headers: { authorization } });
      expect([response.status, response.headers.get('content-type')]).toEqual([
        404,
        'application/problem+json',
      ]);
      expect(await codeOf(response)).toBe('not-found');
    }
  });

  test('a failure tells nobody but the log', async () => {
    const onError = vi.fn();
    const reader = {
      topics: async () => {
        throw new Error('the password is hunter2');
      },
    } as unknown as Reader;
    const response = await getTopics(api({ reader, onError }), { authorization });
    const text = await response.text();
    expect([response.status, JSON.parse(text).code]).toEqual([500, 'internal']);
    expect(text).not.toContain('hunter2');
    expect(onError).toHaveBeenCalledOnce();
  });

  test('a database that does not answer is said', async () => {
    const table = await startTable();
    const reader = createReader({ client: table.client, tableName: 'missing' });
    const response = await getTopics(api({ reader }), { authorization });
    await table.close();
    expect([response.status, await codeOf(response)]).toEqual([503, 'database-unavailable']);
  });

  test('a bug inside the SDK is none of the database', async () => {
    const bug = Object.assign(new TypeError('bug'), {
      code: 'ERR_INVALID_ARG_TYPE',
      $metadata: {},
    });
    const response = await getTopics(api({ authenticate: () => Promise.reject(bug) }), {
      authorization,
    });
    expect([response.status, await codeOf(response)]).toEqual([500, 'internal']);
  });

  test('so is one that cannot say whose a token is, or an issuer, and nobody is let in', async () => {
    const lost = Object.assign(new Error('lost'), { code: 'ECONNREFUSED', $metadata: {} });
    for (const [failure, code] of [
      [lost, 'database-unavailable'],
      [new IssuerUnavailableError(new Error('lost')), 'issuer-unavailable'],
    ] as const) {
      const app = api({ authenticate: () => Promise.reject(failure) });
      const response = await getTopics(app, { authorization });
      expect([response.status, await codeOf(response)]).toEqual([503, code]);
    }
  });
});
