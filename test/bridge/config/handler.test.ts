// What a route's handler can be in the config.
import { expect, test } from 'vitest';
import { startConsumer } from '../../support/consumer.ts';
import { message } from '../../support/messages.ts';
import { openSink, routeFaults, routeOf, send } from '../handler/routes.ts';

test('by default a batch is POSTed to the internet; other formats carry one message', () => {
  expect(routeOf({})).toMatchObject({
    format: 'cloudevents-batch',
    method: 'POST',
    allowPrivate: false,
    maxBatch: 500,
  });
  for (const format of ['cloudevents', 'cloudevents-binary', 'raw'] as const) {
    expect(routeOf({ format }).maxBatch).toBe(1);
    expect(routeFaults({ format, maxBatch: 1 })).toEqual([]);
    expect(routeFaults({ format, maxBatch: 2 })).toEqual([
      `maxBatch: must be 1: a request of format ${format} carries one message`,
    ]);
  }
});

test('events are of version 2, or of 1 where that is asked for; our own ingest gets 1', () => {
  expect(routeOf({}).eventVersion).toBe(2);
  expect(routeOf({ eventVersion: 1 }).eventVersion).toBe(1);
  expect(routeOf({ ingest: true }).eventVersion).toBe(1);
  expect(routeFaults({ ingest: true, eventVersion: 2 })).toEqual([
    'eventVersion: must be 1: ingest keeps payloads byte for byte',
  ]);
  expect(routeFaults({ eventVersion: 3 as 2 })).toEqual(['eventVersion: must be 1 or 2']);
});

test.each(['POST', 'PUT', 'PATCH'] as const)('%s, with fixed headers', async (method) => {
  const consumer = await startConsumer();
  const headers = { 'X-Api-Version': '2026-01-01', accept: 'text/plain; q="1"' };
  const sink = await openSink({ url: `${consumer.url}a?b=c`, method, headers });
  await send(sink, message());
  expect(consumer.consumed).toMatchObject([
    {
      method,
      target: '/a?b=c',
      headers: { 'x-api-version': '2026-01-01', accept: 'text/plain; q="1"' },
    },
  ]);
});

test.each(['GET', 'DELETE', 'post', 'POST\r\n', 'CONNECT'])('no method: %j', (method) => {
  expect(routeFaults({ method: method as 'POST' })).toEqual([expect.stringMatching(/^method: /)]);
});

test.each([
  'Host',
  'content-length',
  'Content-Type',
  'content-encoding',
  'Transfer-Encoding',
  'connection',
  'keep-alive',
  'upgrade',
  'te',
  'trailer',
  'expect',
  'Authorization',
  'proxy-authorization',
  'accept-encoding',
  'webhook-id',
  'Webhook-Signature',
  'ce-id',
  'CE-Source',
  'mqtt-topic',
  'x-amz-date',
  'traceparent',
  'tracestate',
])('%s is not for the config', (name) => {
  expect(routeFaults({ headers: { [name]: 'x' } })).toEqual([expect.stringMatching(/^headers\./)]);
});

test.each([
  ['a space in a name', { 'x y': '1' }],
  ['a colon in a name', { 'x:': '1' }],
  ['a line break in a name', { 'x\r\ny': '1' }],
  ['no name', { '': '1' }],
  ['a long name', { ['x'.repeat(65)]: '1' }],
  ['a name that is not ASCII', { 'x-é': '1' }],
  ['a line break', { x: 'a\r\nevil: 1' }],
  ['a line feed', { x: 'a\nb' }],
  ['NUL', { x: 'a\0b' }],
  ['a letter that is not ASCII', { x: 'é' }],
  ['a space around', { x: ' a' }],
  ['no value', { x: '' }],
  ['too many', Object.fromEntries(Array.from({ length: 21 }, (_, index) => [`x-${index}`, '1']))],
  ['too long ones', { x: 'y'.repeat(2048) }],
  ['no name of a secret', { x: { secret: '' } }],
  ['something else beside a secret', { x: { secret: 'a', value: 'b' } }],
  ['64 KB', { x: 'y'.repeat(65_536) }],
])('headers with %s are refused', (_, headers) => {
  expect(routeFaults({ headers: headers as Record<string, string> })).toEqual([
    expect.stringMatching(/^headers/),
  ]);
});

test('a URL that no server would take is found in the config', () => {
  expect(routeFaults({ url: `https://handler.example.com/${'x'.repeat(8000)}` })).toEqual([
    'url: must have at most 8000 bytes of path and query',
  ]);
  expect(routeFaults({ url: `https://handler.example.com/${'x'.repeat(7999)}` })).toEqual([]);
});

test('a shared subscription is the bridge’s own affair', () => {
  expect(routeFaults({ filter: '$share/group/#', connections: 2 })).toEqual([
    'filter: must not be a shared subscription ($share): see `connections`',
  ]);
});
