// A function that is invoked without HTTP: the event that it gets, and what its answers and Lambda's stand for.
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { invocationUrl, isInvocation } from '../../../bridge/config/lambda-invocation.ts';
import { invocationAnswer } from '../../../bridge/handler/invocation.ts';
import { verdictOf } from '../../../bridge/handler/verdict.ts';
import { bodyOf, listenLocally } from '../../infra/template/rig/http.ts';
import { message } from '../../support/messages.ts';
import { openSink, requestFor, routeFaults, send } from './routes.ts';

const path = '/2015-03-31/functions/ingest/invocations';
const url = `https://lambda.eu-west-1.amazonaws.com${path}`;

test.each([
  [
    'arn:aws:lambda:eu-south-2:123456789012:function:orders:live',
    'https://lambda.eu-south-2.amazonaws.com/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-south-2%3A123456789012%3Afunction%3Aorders%3Alive/invocations',
  ],
  [
    'arn:aws-cn:lambda:cn-north-1:123456789012:function:orders',
    'https://lambda.cn-north-1.amazonaws.com.cn/2015-03-31/functions/arn%3Aaws-cn%3Alambda%3Acn-north-1%3A123456789012%3Afunction%3Aorders/invocations',
  ],
])('%s is invoked in its region and partition', (arn, expected) => {
  expect(invocationUrl(arn)).toBe(expected);
  expect(isInvocation(new URL(expected))).toBe(true);
});

test.each([
  [{ headers: { 'x-a': 'b' } }, 'headers'],
  [{ secretName: 'hook' }, 'secretName'],
  [{ bearerSecret: 'token' }, 'bearerSecret'],
  [{ method: 'PUT' }, 'method'],
  [{ format: 'raw' }, 'format'],
  [{ format: 'cloudevents-binary' }, 'format'],
  [{ url: `${url}?a=b` }, 'url'],
] as const)('an invocation has no place for %j', (fields, field) => {
  expect(routeFaults({ url, ...fields })).toEqual([expect.stringMatching(`^${field}: `)]);
});

test('the batch is the event; the query of our own ingest stands beside it', async () => {
  const json = { auth: 'aws-iam' } as const;
  const plain = requestFor(await openSink({ url, ...json }), message({ id: 'a' }));
  expect(plain.url.href).toBe(url);
  expect(JSON.parse(plain.body.toString())).toMatchObject([{ id: 'a' }]);
  const sink = await openSink({ url: `${url}?retentionDays=7`, ingest: true, ...json });
  const queried = requestFor(sink, message({ id: 'a' }));
  expect(queried.url.href).toBe(url);
  expect(JSON.parse(queried.body.toString())).toMatchObject({
    query: 'retentionDays=7',
    batch: [{ id: 'a' }],
  });
});

const verdict = (status: number, body: unknown, headers: IncomingHttpHeaders = {}) =>
  verdictOf(invocationAnswer(status, headers, JSON.stringify(body)), (id) => id === 'a', 0);
const error = (type: string) => ({ 'x-amzn-errortype': `${type}:http://internal.amazon.com/` });
const stored = { kind: 'answered', failures: new Map() };

test.each([
  ['nothing', null, stored],
  ['a receipt', { batchItemFailures: [] }, stored],
  ['an event', { statusCode: 'none' }, stored],
  ['200', { statusCode: 200, body: '{"batchItemFailures":[]}' }, stored],
  ['a body in base64', { statusCode: 200, body: 'b2s=', isBase64Encoded: true }, stored],
  ['422', { statusCode: 422, body: 'too hot' }, { kind: 'rejected', reason: /422: too hot/ }],
  ['410', { statusCode: 410 }, { kind: 'gone' }],
  [
    '503 with a wait',
    { statusCode: 503, headers: { 'Retry-After': 7 } },
    { kind: 'hold', retryAfterMs: 7000 },
  ],
] as const)('a function that returns %s', (_, returned, expected) => {
  expect(verdict(200, returned)).toMatchObject(
    'reason' in expected
      ? { ...expected, reason: expect.stringMatching(expected.reason) }
      : expected,
  );
});

test('one failure in a receipt is that message’s', () => {
  const failures = [{ itemIdentifier: 'a', retryable: false }];
  expect(verdict(200, { batchItemFailures: failures })).toMatchObject({
    failures: new Map([['a', failures[0]]]),
  });
});

test('a function that throws has stored nothing, though the status is 200', () => {
  const thrown = { errorType: 'TypeError', errorMessage: 'no such table', trace: ['…'] };
  expect(verdict(200, thrown, { 'x-amz-function-error': 'Unhandled' })).toEqual({
    kind: 'hold',
    reason: 'the function failed: TypeError: no such table',
    overloaded: true,
    broken: false,
    suspicious: true,
    own: true,
  });
});

test.each([
  [429, 'TooManyRequestsException', { kind: 'hold', overloaded: true, broken: false }],
  [400, 'ThrottlingException', { kind: 'hold', overloaded: true, broken: false }],
  [500, 'ServiceException', { kind: 'hold', broken: false, suspicious: true }],
  // Idle for weeks in a VPC: first this, and 409 until its network interfaces are there.
  [502, 'ResourceNotReadyException', { kind: 'hold', broken: false }],
  [409, 'ResourceConflictException', { kind: 'hold', broken: false }],
  [403, 'AccessDeniedException', { kind: 'hold', broken: true }],
  [404, 'ResourceNotFoundException', { kind: 'hold', broken: true }],
  [400, 'InvalidParameterValueException', { kind: 'hold', broken: true }],
  [413, 'RequestTooLargeException', { kind: 'rejected', final: true }],
  [400, 'InvalidRequestContentException', { kind: 'rejected' }],
] as const)('Lambda answers %i %s', (status, type, expected) => {
  expect(verdict(status, { Message: '…' }, error(type))).toMatchObject(expected);
});

const long = 'x'.repeat(40_000);

test.each([
  ['the event that it was given', (event: unknown) => event, { kind: 'answered' }],
  ['a long text', () => long, { kind: 'answered' }],
  ['a long HTTP answer', () => ({ body: long, statusCode: 500 }), { kind: 'hold' }],
  ['a long receipt', () => ({ reason: long, batchItemFailures: [] }), { kind: 'hold' }],
] as const)('a function that returns %s, longer than a receipt', async (_, returns, expected) => {
  const server = createServer(async (request, response) => {
    const event = JSON.parse((await bodyOf(request)).toString());
    response.end(JSON.stringify(returns(event)));
  });
  onTestFinished(() => void server.close());
  const url = `${await listenLocally(server)}${path}`;
  const sink = await openSink({ url, format: 'cloudevents' });
  const attempt = await send(sink, message({ id: 'a', payload: Buffer.from(long) }));
  expect(attempt).toMatchObject({ verdict: expected });
});

test('over the wire', async () => {
  const events: unknown[] = [];
  const server = createServer(async (request, response) => {
    events.push(JSON.parse((await bodyOf(request)).toString()));
    if (events.length > 1) response.setHeader('x-amz-function-error', 'Unhandled');
    response.end(events.length > 1 ? '{"errorType":"Error"}' : '{"batchItemFailures":[]}');
  });
  onTestFinished(() => void server.close());
  const sink = await openSink({ url: `${await listenLocally(server)}${path}`, ingest: true });
  expect(await send(sink, message({ id: 'a' }))).toMatchObject({ verdict: stored });
  expect(events).toMatchObject([[{ id: 'a' }]]);
  expect(await send(sink, message({ id: 'a' }))).toMatchObject({
    verdict: { kind: 'hold', reason: 'the function failed: Error' },
  });
});
