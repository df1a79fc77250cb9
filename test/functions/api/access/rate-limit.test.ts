import { Hono } from 'hono';
import { handle, type LambdaEvent } from 'hono/aws-lambda';
import { beforeEach, expect, test, vi } from 'vitest';
import { listen } from '../../../../bridge/base/listen.ts';
import {
  clientAddress,
  createFailures,
  networkOf,
} from '../../../../functions/api/access/rate-limit.ts';

beforeEach(() => {
  vi.useFakeTimers();
  return () => vi.useRealTimers();
});

test('an address with too many wrong tokens is held up, others are not', () => {
  const failures = createFailures({ failuresPerSecond: 3 });
  for (let count = 0; count < 3; count++) failures.note('198.51.100.1', `x${count}`, false);
  const refusal = failures.refusal('198.51.100.1', 'new');
  expect([refusal?.status, refusal?.headers.get('retry-after')]).toEqual([429, '1']);
  expect(failures.refusal('198.51.100.2', 'new')).toBeUndefined();
});

test('and its second ends', () => {
  const failures = createFailures({ failuresPerSecond: 1 });
  failures.note('198.51.100.1', 'x', false);
  expect(failures.refusal('198.51.100.1', 'new')).toBeDefined();
  vi.advanceTimersByTime(999);
  expect(failures.refusal('198.51.100.1', 'new')).toBeDefined();
  vi.advanceTimersByTime(1);
  expect(failures.refusal('198.51.100.1', 'new')).toBeUndefined();
});

test('also when timers stood still meanwhile', () => {
  const failures = createFailures({ failuresPerSecond: 1 });
  failures.note('198.51.100.1', 'x', false);
  vi.setSystemTime(Date.now() + 1000);
  expect(failures.refusal('198.51.100.1', 'new')).toBeUndefined();
});

test('a token that was good lately is not held up by what others at its address send', () => {
  const failures = createFailures({ failuresPerSecond: 1 });
  failures.note('198.51.100.1', 'good', true);
  failures.note('198.51.100.1', 'x', false);
  expect(failures.refusal('198.51.100.1', 'good')).toBeUndefined();
  expect(failures.refusal('198.51.100.1', 'other')).toBeDefined();
  // Revoked meanwhile: it is one of the wrong ones from now on.
  failures.note('198.51.100.1', 'good', false);
  expect(failures.refusal('198.51.100.1', 'good')).toBeDefined();
});

test.each([
  [{ requestContext: { http: { sourceIp: '198.51.100.1' } } }, '198.51.100.1'],
  [{ requestContext: { identity: { sourceIp: '198.51.100.2' } } }, '198.51.100.2'],
  [{ incoming: { socket: { remoteAddress: '198.51.100.3' } } }, '198.51.100.3'],
  [{ incoming: { socket: {} } }, 'unknown'],
  [{}, 'unknown'],
  [undefined, 'unknown'],
])('the address of a request with %j is %s', async (env, address) => {
  const app = new Hono().get('/', (context) => context.text(clientAddress(context)));
  const init = { headers: { 'x-forwarded-for': '203.0.113.9' } };
  expect(await (await app.request('/', init, env)).text()).toBe(address);
});

test('the servers that the app runs on do say the address', async () => {
  vi.useRealTimers();
  const app = new Hono().get('/', (context) => context.text(clientAddress(context)));
  const { url, close } = await listen(app, '127.0.0.1', 0);
  expect(await (await fetch(url)).text()).toBe('127.0.0.1');
  await close();

  const http = { method: 'GET', path: '/', sourceIp: '198.51.100.1' };
  const event = {
    version: '2.0',
    rawPath: '/',
    rawQueryString: '',
    headers: { 'x-forwarded-for': '203.0.113.9' },
    requestContext: { domainName: 'api.example.com', http },
  };
  const answer = await handle(app)(event as unknown as LambdaEvent);
  expect(answer).toMatchObject({ statusCode: 200, body: '198.51.100.1' });
});

test.each([
  ['198.51.100.1', '198.51.100.1'],
  ['::ffff:198.51.100.1', '::ffff:198.51.100.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:DB8:1:2::9', '2001:db8:1:2::/64'],
  ['2001:db8::9', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['unknown', 'unknown'],
])('%s is counted as %s', (address, network) => {
  expect(networkOf(address)).toBe(network);
});
