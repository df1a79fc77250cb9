import { Webhook } from 'standardwebhooks';
import { describe, expect, test } from 'vitest';
import { sign, signatureFault } from '../../../functions/contract/signature.ts';

const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const body = '{"test": 2432232314}';
const bytes = Buffer.from(body);

test('agrees with the published standardwebhooks library', () => {
  const now = Date.now();
  expect(() =>
    new Webhook(secret).verify(body, { ...sign(secret, 'msg_1', body, now) }),
  ).not.toThrow();
  const theirs = new Webhook(secret).sign('msg_1', new Date(now), body);
  const headers = {
    'webhook-id': 'msg_1',
    'webhook-timestamp': String(Math.floor(now / 1000)),
    'webhook-signature': theirs,
  };
  expect(signatureFault(secret, headers, bytes, now)).toBeUndefined();
});

test('gives the published example', () => {
  const headers = sign(secret, 'msg_p5jXN8AQM9LWM0D4loKWxJek', body, 1_614_265_330_000);
  expect(headers['webhook-signature']).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
});

describe('refuses', () => {
  const now = 1_800_000_000_000;
  const good = sign(secret, 'msg_1', body, now);
  test.each([
    ['a missing header', { ...good, 'webhook-id': undefined }],
    ['another id', { ...good, 'webhook-id': 'msg_2' }],
    ['another secret', sign('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSx', 'msg_1', body, now)],
    ['a replay', sign(secret, 'msg_1', body, now - 301_000)],
    ['a clock ahead', sign(secret, 'msg_1', body, now + 301_000)],
    [
      'another version',
      { ...good, 'webhook-signature': good['webhook-signature'].replace('v1', 'v2') },
    ],
    ['a timestamp of words', { ...good, 'webhook-timestamp': 'now' }],
  ])('%s', (_, headers) => {
    expect(signatureFault(secret, headers, bytes, now)).toBeDefined();
  });

  test('another body', () => {
    expect(signatureFault(secret, good, Buffer.from('{}'), now)).toBeDefined();
  });

  test('but takes one good signature among others, as in a rotation', () => {
    const rotated = { ...good, 'webhook-signature': `v1,AAAA ${good['webhook-signature']}` };
    expect(signatureFault(secret, rotated, bytes, now)).toBeUndefined();
  });
});
