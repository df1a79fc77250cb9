import { describe, expect, test } from 'vitest';
import { maxRetryAfterMs } from '../../../bridge/config/route.ts';
import { type Answer, verdictOf } from '../../../bridge/handler/verdict.ts';

const ids = new Set(['a', 'b']);
const response = (status: number, body = '', retryAfter?: string): Answer => ({
  kind: 'response',
  status,
  body,
  ...(retryAfter !== undefined && { retryAfter }),
});
const verdict = (answer: Answer, isIngest = false) =>
  verdictOf(answer, (id) => ids.has(id), Date.parse('2026-01-01T00:00:00Z'), isIngest);

const allStored = { kind: 'answered', failures: new Map(), duplicates: 0 };
const receipt = '{"batchItemFailures":[]}';

// What frameworks answer where nobody thought of an answer.
test.each([
  [200, ''],
  [200, ' '],
  [200, 'OK'],
  [200, '{}'],
  [200, 'null'],
  [200, '{"ok":true}'],
  [200, '[]'],
  [200, '<h1>Welcome</h1>'],
  [201, 'Created'],
  [202, 'Accepted'],
  [204, ''],
  [200, receipt],
  [202, receipt],
])('%i %j: a handler of the user has taken all', (status, body) => {
  expect(verdict(response(status, body))).toEqual(allStored);
});

test('our own ingest stores what it gives a receipt for, and nothing else', () => {
  expect(verdict(response(200, receipt), true)).toEqual(allStored);
  for (const body of ['', ' ', 'OK', '{}', 'null', '[]', '<h1>Welcome</h1>'])
    for (const status of [200, 202, 204])
      expect(verdict(response(status, body), true)).toMatchObject({ kind: 'hold', broken: true });
});

test('200 with failures: those failed, the rest is stored', () => {
  const failure = { itemIdentifier: 'b', reason: 'too hot', retryable: false };
  expect(verdict(response(200, JSON.stringify({ batchItemFailures: [failure] })))).toEqual({
    kind: 'answered',
    failures: new Map([['b', failure]]),
    duplicates: 0,
  });
});

test.each([
  '{"b',
  '{"batchItem',
  '{"batchItemFailures":',
  '{"batchItemFailures":null}',
  '{"batchItemFailures":[{}]}',
  '{"batchItemFailures":[{"itemIdentifier":"c"}]}',
  // As a Lambda function answers API Gateway, where nothing unpacks it.
  '{"statusCode":200,"body":"{\\"batchItemFailures\\":[]}"}',
])('200 %j speaks of failures and is no receipt: it confirms nothing', (body) => {
  for (const isIngest of [false, true])
    expect(verdict(response(200, body), isIngest)).toMatchObject({
      kind: 'hold',
      broken: true,
      suspicious: true,
    });
});

test('a receipt that is wrong throughout has a short reason', () => {
  const batchItemFailures = Array.from({ length: 1000 }, () => ({}));
  const { reason } = verdict(response(200, JSON.stringify({ batchItemFailures }))) as {
    reason: string;
  };
  expect(reason).toMatch(/^the handler's receipt is malformed: batchItemFailures\.0/);
  expect(reason.length).toBeLessThanOrEqual(1000);
});

test.each([408, 425, 429, 500, 502, 503, 504])(
  '%d: the handler is overloaded or down',
  (status) => {
    expect(verdict(response(status))).toMatchObject({
      kind: 'hold',
      overloaded: true,
      broken: false,
    });
  },
);

test.each([500, 501, 507])('%d: only the handler itself answers so', (status) => {
  expect(verdict(response(status))).toMatchObject({ suspicious: true, own: true });
  expect(verdict(response(status, '', '1'))).not.toHaveProperty('own');
});

test.each([408, 429, 502, 503, 504, 511, 520, 522, 524, 530, 599, 401, 403, 404, 405])(
  '%d: a gateway may have answered so',
  (status) => {
    expect(verdict(response(status))).not.toHaveProperty('own');
  },
);

test('no answer says nothing of the handler itself', () => {
  expect(verdict({ kind: 'failed', reason: 'no answer within 30 ms' })).not.toHaveProperty('own');
});

test.each([301, 302, 307, 401, 403, 404, 405])(
  '%d: the deployment is broken, or it is about one message: others will tell',
  (status) => {
    expect(verdict(response(status))).toMatchObject({
      kind: 'hold',
      broken: true,
      overloaded: false,
      suspicious: true,
    });
  },
);

test.each([400, 409, 413, 415, 422])('%d: some message is not acceptable', (status) => {
  expect(verdict(response(status, 'why'))).toEqual({
    kind: 'rejected',
    reason: `the handler answered ${status}: why`,
    ...(status === 413 && { final: true }),
  });
});

test('410: the handler wants no more', () => {
  expect(verdict(response(410, 'moved'))).toEqual({
    kind: 'gone',
    reason: 'the handler answered 410',
  });
});

test.each([
  [500, undefined, true],
  [503, undefined, true],
  [503, '7', false],
  [429, undefined, false],
  [408, undefined, false],
  [404, undefined, true],
])('%d with Retry-After %s: a message may be the cause: %s', (status, retryAfter, suspicious) => {
  const { kind, suspicious: is = false } = verdict(response(status, '', retryAfter)) as {
    kind: string;
    suspicious?: true;
  };
  expect([kind, is]).toEqual(['hold', suspicious]);
});

test('an address that is refused is no message’s fault', () => {
  const refused = { kind: 'failed', reason: 'is a loopback address', broken: true } as const;
  expect(verdict(refused)).toEqual({ ...refused, kind: 'hold', overloaded: false });
});

test('no answer: hold', () => {
  expect(verdict({ kind: 'failed', reason: 'ECONNREFUSED' })).toMatchObject({
    kind: 'hold',
    reason: 'ECONNREFUSED',
    suspicious: true,
  });
});

describe('Retry-After', () => {
  test.each([
    ['7', 7000],
    ['Thu, 01 Jan 2026 00:00:30 GMT', 30_000],
    ['Thu, 01 Jan 2020 00:00:00 GMT', 0],
    ['999999999', maxRetryAfterMs],
    ['soon', undefined],
  ])('%s', (value, waitMs) => {
    expect(verdict(response(503, '', value))).toHaveProperty(
      ...((waitMs === undefined ? ['kind', 'hold'] : ['retryAfterMs', waitMs]) as [
        string,
        unknown,
      ]),
    );
  });
});
